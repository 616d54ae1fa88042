<?php

declare(strict_types=1);

namespace App;

use Illuminate\Queue\NullQueue;
use PhpAmqpLib\Channel\AMQPChannel;
use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

/**
 * RabbitMQ by php-amqplib, as laravel-queue-rabbitmq does it: one basic_get for each job, and a header that counts the attempts
 * before. Of the rest of a queue, nothing.
 */
final class AmqpQueue extends NullQueue
{
    private ?AMQPChannel $channel = null;

    public function __construct(private readonly string $url, private readonly string $queue)
    {
    }

    public function push($job, $data = '', $queue = null): void
    {
        $queue ??= $this->queue;
        $this->pushRaw($this->createPayload($job, $queue, $data), $queue);
    }

    /** @param array{attempts?: int} $options */
    public function pushRaw($payload, $queue = null, array $options = []): void
    {
        $attempts = $options['attempts'] ?? 0;
        $this->channel()->basic_publish(new AMQPMessage($payload, [
            'content_type' => 'application/json',
            'delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT,
            'application_headers' => new AMQPTable(['laravel' => ['attempts' => $attempts]]),
        ]), '', $queue ?? $this->queue);
    }

    public function pop($queue = null): ?AmqpJob
    {
        $queue ??= $this->queue;
        $message = $this->channel()->basic_get($queue);
        return $message === null
            ? null
            : new AmqpJob($this->container, $this, $message, $this->connectionName, $queue);
    }

    private function channel(): AMQPChannel
    {
        return $this->channel ??= $this->connect()->channel();
    }

    private function connect(): AMQPStreamConnection
    {
        $url = parse_url($this->url);
        return new AMQPStreamConnection($url['host'], $url['port'], $url['user'], $url['pass']);
    }
}
