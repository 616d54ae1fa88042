<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use Closure;
use InvalidArgumentException;
use JsonException;
use JsonSerializable;
use PhpAmqpLib\Channel\AMQPChannel;
use PhpAmqpLib\Connection\AbstractConnection;
use PhpAmqpLib\Exception\AMQPExceptionInterface;
use PhpAmqpLib\Exception\AMQPProtocolChannelException;
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

/**
 * Puts messages into the queue of a daemon, over php-amqplib. When publish() returns, the broker has the message: it is
 * persistent, was routed to the queue, and was confirmed.
 *
 * It connects at the first message, and again after a failure. Nothing waits longer than the time limit, except the
 * look-up of a host name.
 */
final class Publisher
{
    /** AMQP's reply code for a queue that does not exist. */
    private const NOT_FOUND = 404;

    private readonly Closure $connect;
    private ?AbstractConnection $connection = null;
    private ?AMQPChannel $channel = null;

    /** What the broker has said about the message that is being published. */
    private ?string $returned = null;
    private bool $refused = false;

    /**
     * @param string|Closure(): AbstractConnection $broker a URL, amqp://user:password@host:port/vhost or amqps:, or a
     *                                                      function that connects, which sees to its own time limits
     * @param string $queueType classic or quorum, for a queue that does not exist yet; one that does is taken as it is
     * @param float  $timeout   seconds for each step: to connect, to declare, and for the broker to confirm
     * @param bool   $declare   false: the queue must exist
     * @throws InvalidArgumentException
     */
    public function __construct(
        #[\SensitiveParameter] string|Closure $broker = 'amqp://guest:guest@127.0.0.1:5672',
        private readonly string $queue = 'commands',
        private readonly string $queueType = 'classic',
        private readonly float $timeout = 5.0,
        private readonly bool $declare = true,
    ) {
        if ($queue === '' || strlen($queue) > 255) {
            throw new InvalidArgumentException('The name of a queue has 1 to 255 bytes.');
        }
        if (!in_array($queueType, ['classic', 'quorum'], true)) {
            throw new InvalidArgumentException("The type of a queue is classic or quorum, not '{$queueType}'.");
        }
        if (!($timeout > 0)) {
            throw new InvalidArgumentException("The time limit is more than 0 seconds, not {$timeout}.");
        }
        $this->connect = is_string($broker) ? (new BrokerUrl($broker))->connector($timeout) : $broker;
    }

    /**
     * @param array<mixed>|string|JsonSerializable $payload    a string is sent as it is, anything else as JSON
     * @param array<string, string|int>            $properties by their AMQP names: message_id, correlation_id, reply_to,
     *                                                         type, app_id, user_id, expiration (milliseconds), priority,
     *                                                         timestamp, content_type, content_encoding, delivery_mode
     * @param array<string, mixed>                 $headers
     * @return string the message id; a UUID, unless the properties name one
     * @throws PublishFailed            see its subclasses
     * @throws InvalidArgumentException for a payload that is no JSON, and properties that do not exist
     */
    public function publish(array|string|JsonSerializable $payload, array $properties = [], array $headers = []): string
    {
        $properties = Properties::complete($properties, is_string($payload) ? null : 'application/json');
        $message = new AMQPMessage(is_string($payload) ? $payload : self::json($payload), $properties);
        if ($headers !== []) {
            $message->set('application_headers', new AMQPTable($headers));
        }
        $id = (string) $properties['message_id'];
        $this->send($this->open($id), $message, $id);
        return $id;
    }

    /** Says goodbye to the broker. Optional: the end of the process, or of this object, does it too. */
    public function close(): void
    {
        [$connection, $this->connection, $this->channel] = [$this->connection, null, null];
        try {
            $connection?->close();
        } catch (AMQPExceptionInterface) {
            // Everything it had was confirmed.
        }
    }

    private function send(AMQPChannel $channel, AMQPMessage $message, string $id): void
    {
        $this->returned = null;
        $this->refused = false;
        try {
            // Mandatory, since the broker also confirms what it has thrown away for want of a queue.
            $channel->basic_publish($message, '', $this->queue, true);
            $channel->wait_for_pending_acks_returns($this->timeout);
        } catch (AMQPExceptionInterface $error) {
            $blocked = $this->connection?->isBlocked() ? ' (the broker takes no messages: its memory or disk alarm)' : '';
            $this->drop();
            throw new Unconfirmed(
                "The broker has not confirmed message {$id} in the queue {$this->queue} within {$this->timeout} s: "
                . "{$error->getMessage()}{$blocked}. It may have arrived; publish it again with the same message_id.",
                $id,
                $error,
            );
        }
        if ($this->returned !== null) {
            throw new Unroutable("There is no queue {$this->queue}: the broker says {$this->returned}.", $id);
        }
        if ($this->refused) {
            throw new Refused("The broker does not take message {$id}: is the queue {$this->queue} full?", $id);
        }
    }

    private function open(string $id): AMQPChannel
    {
        if ($this->channel !== null && $this->channel->is_open()) {
            return $this->channel;
        }
        $this->drop();
        try {
            $this->connection = ($this->connect)();
            $channel = $this->connection->channel();
        } catch (AMQPExceptionInterface $error) {
            $this->drop();
            // Without the cause, whose trace shows the password to whoever logs it.
            throw new BrokerUnavailable("Cannot connect to the broker: {$error->getMessage()}", $id);
        }
        try {
            $channel = $this->declare ? $this->declareQueue($this->connection, $channel) : $channel;
            $channel->confirm_select();
        } catch (AMQPExceptionInterface $error) {
            $this->drop();
            throw new QueueUnavailable("Cannot use the queue {$this->queue}: {$error->getMessage()}", $id, $error);
        }
        $channel->set_return_listener(function (int $code, string $text): void {
            $this->returned = "{$code} {$text}";
        });
        $channel->set_nack_handler(function (): void {
            $this->refused = true;
        });
        return $this->channel = $channel;
    }

    /**
     * Looks first: to declare a queue with other arguments than it has is an error, and whoever made it had reasons.
     *
     * @return AMQPChannel that is open: to ask for a queue that does not exist closes the one that asks
     */
    private function declareQueue(AbstractConnection $connection, AMQPChannel $channel): AMQPChannel
    {
        try {
            $channel->queue_declare($this->queue, passive: true, auto_delete: false);
            return $channel;
        } catch (AMQPProtocolChannelException $error) {
            if ($error->getCode() !== self::NOT_FOUND) {
                throw $error;
            }
        }
        $channel = $connection->channel();
        // php-amqplib's default would have the queue vanish, messages and all, with its last consumer.
        $arguments = $this->queueType === 'quorum' ? new AMQPTable(['x-queue-type' => 'quorum']) : [];
        $channel->queue_declare($this->queue, durable: true, auto_delete: false, arguments: $arguments);
        return $channel;
    }

    /** Forgets a connection that is of no use, without waiting for an answer to a goodbye. */
    private function drop(): void
    {
        $this->connection?->set_close_on_destruct(false);
        $this->connection?->getIO()?->close();
        $this->connection = $this->channel = null;
    }

    /** @param array<mixed>|JsonSerializable $payload */
    private static function json(array|JsonSerializable $payload): string
    {
        try {
            $flags = JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION;
            return json_encode($payload, $flags);
        } catch (JsonException $error) {
            throw new InvalidArgumentException("The payload cannot become JSON: {$error->getMessage()}", 0, $error);
        }
    }
}
