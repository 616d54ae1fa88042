<?php

declare(strict_types=1);

namespace App;

use BadMethodCallException;
use Illuminate\Contracts\Queue\Queue as QueueContract;
use Illuminate\Queue\Queue;
use Illuminate\Support\Str;
use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

/** Publishes what laravel-queue-rabbitmq does: the payload of illuminate/queue with an id, and a header with the attempts. */
final class AmqpQueue extends Queue implements QueueContract
{
    public function __construct(private readonly string $url, private readonly string $queue)
    {
    }

    /** @param string|null $queue */
    public function size($queue = null): never
    {
        throw new BadMethodCallException();
    }

    /** @param string|null $queue */
    public function pendingSize($queue = null): never
    {
        throw new BadMethodCallException();
    }

    /** @param string|null $queue */
    public function delayedSize($queue = null): never
    {
        throw new BadMethodCallException();
    }

    /** @param string|null $queue */
    public function reservedSize($queue = null): never
    {
        throw new BadMethodCallException();
    }

    /** @param string|null $queue */
    public function creationTimeOfOldestPendingJob($queue = null): never
    {
        throw new BadMethodCallException();
    }

    /** @param string|null $queue */
    public function pop($queue = null): never
    {
        throw new BadMethodCallException();
    }

    /**
     * @param \DateTimeInterface|\DateInterval|int $delay
     * @param string|object                        $job
     * @param mixed                                $data
     * @param string|null                          $queue
     */
    public function later($delay, $job, $data = '', $queue = null): never
    {
        throw new BadMethodCallException();
    }

    /**
     * @param string|object $job
     * @param mixed         $data
     * @param string|null   $queue
     */
    public function push($job, $data = '', $queue = null): void
    {
        $this->pushRaw($this->createPayload($job, $queue ?? $this->queue, $data), $queue);
    }

    /**
     * @param string              $payload
     * @param string|null         $queue
     * @param array<string,mixed> $options
     */
    public function pushRaw($payload, $queue = null, array $options = []): void
    {
        $message = new AMQPMessage($payload, [
            'content_type' => 'application/json',
            'delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT,
            'application_headers' => new AMQPTable(['laravel' => ['attempts' => 0]]),
        ]);
        ['host' => $host, 'port' => $port, 'user' => $user, 'pass' => $password] = parse_url($this->url);
        $connection = new AMQPStreamConnection($host, $port, $user, $password);
        $channel = $connection->channel();
        $channel->queue_declare($queue ?? $this->queue, durable: true, auto_delete: false);
        $channel->confirm_select();
        $channel->basic_publish($message, '', $queue ?? $this->queue, true);
        $channel->wait_for_pending_acks_returns(5);
        $connection->close();
    }

    /**
     * @param string|object $job
     * @param string        $queue
     * @param mixed         $data
     * @return array<string, mixed>
     */
    protected function createPayloadArray($job, $queue, $data = ''): array
    {
        return [...parent::createPayloadArray($job, $queue, $data), 'id' => (string) Str::uuid()];
    }
}
