<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * A message of RabbitMQ as fpm-bridge handed it to php-fpm: its body, its properties, and what is known of this
 * execution. Properties that the message does not have are null.
 *
 * The daemon leaves out what holds a control character, and a header table of more than 32 KiB; its log says so.
 */
final class Message
{
    /** Of this execution alone, as in the daemon's log. */
    public readonly string $executionId;
    public readonly string $daemonId;
    /** From which the daemon took it. */
    public readonly string $queue;
    /** From which it came; empty for the default exchange, as for every retry. */
    public readonly string $exchange;
    public readonly string $routingKey;
    /** To which it was published, as a retry says; nobody vouches for that. */
    public readonly string $originalExchange;
    /** Likewise; route by it, and never trust it. */
    public readonly string $originalRoutingKey;
    public readonly string $consumerTag;
    /** The broker has handed it out before; it may have been executed. */
    public readonly bool $redelivered;
    /** The number of this execution, from 1. */
    public readonly int $attempt;
    /** After which the daemon gives up; 1 when it does not repeat anything. */
    public readonly int $maxAttempts;
    /** Whether the daemon repeats what fails (--ack completed). */
    public readonly bool $repeatable;
    /**
     * Unix seconds; past them the daemon no longer waits for the answer, and may have sent the message on its way again.
     * Null: no time limit.
     */
    public readonly ?int $deadline;
    /** Seconds from when the daemon sent it to the deadline, both by its clock. */
    public readonly ?float $timeout;
    /** @var array<mixed> as amqplib decodes them; bytes are ['!' => 'base64', 'value' => string] */
    public readonly array $headers;
    /** With --payload form always application/x-www-form-urlencoded. */
    public readonly ?string $contentType;
    public readonly ?string $messageId;
    public readonly ?string $correlationId;
    public readonly ?string $replyTo;
    public readonly ?string $type;
    public readonly ?string $appId;
    public readonly ?string $userId;
    public readonly ?string $contentEncoding;
    /** Unix seconds, as the publisher says. */
    public readonly ?int $timestamp;
    /** Milliseconds. */
    public readonly ?int $expiration;
    public readonly ?int $priority;
    public readonly ?int $deliveryMode;

    /** @throws Forbidden|InvalidMessage */
    private function __construct(Params $params, private readonly Body $body)
    {
        $params->requireBridge();
        $texts = $params->texts;
        $this->executionId = $texts['AMQP_EXECUTION_ID'] ?? '';
        $this->daemonId = $texts['AMQP_DAEMON_ID'] ?? '';
        $this->queue = $texts['AMQP_QUEUE'] ?? '';
        $this->exchange = $texts['AMQP_EXCHANGE'] ?? '';
        $this->routingKey = $texts['AMQP_ROUTING_KEY'] ?? '';
        $this->originalExchange = $texts['AMQP_ORIGINAL_EXCHANGE'] ?? $this->exchange;
        $this->originalRoutingKey = $texts['AMQP_ORIGINAL_ROUTING_KEY'] ?? $this->routingKey;
        $this->consumerTag = $texts['AMQP_CONSUMER_TAG'] ?? '';
        $this->redelivered = ($texts['AMQP_REDELIVERED'] ?? null) === '1';
        $this->attempt = $params->integer('AMQP_ATTEMPT') ?? 1;
        $this->maxAttempts = $params->integer('AMQP_MAX_ATTEMPTS') ?? 1;
        $this->repeatable = ($texts['AMQP_ACK'] ?? null) !== 'dispatched';
        $this->deadline = $params->integer('AMQP_DEADLINE');
        $this->timeout = $params->number('AMQP_TIMEOUT');
        $this->headers = $params->json('AMQP_HEADERS');
        $this->contentType = $texts['CONTENT_TYPE'] ?? null;
        $this->messageId = $texts['AMQP_MESSAGE_ID'] ?? null;
        $this->correlationId = $texts['AMQP_CORRELATION_ID'] ?? null;
        $this->replyTo = $texts['AMQP_REPLY_TO'] ?? null;
        $this->type = $texts['AMQP_TYPE'] ?? null;
        $this->appId = $texts['AMQP_APP_ID'] ?? null;
        $this->userId = $texts['AMQP_USER_ID'] ?? null;
        $this->contentEncoding = $texts['AMQP_CONTENT_ENCODING'] ?? null;
        $this->timestamp = $params->integer('AMQP_TIMESTAMP');
        $this->expiration = $params->integer('AMQP_EXPIRATION');
        $this->priority = $params->integer('AMQP_PRIORITY');
        $this->deliveryMode = $params->integer('AMQP_DELIVERY_MODE');
    }

    /**
     * The message of the request that php-fpm is serving.
     *
     * @throws Forbidden      when it does not come from fpm-bridge
     * @throws InvalidMessage when its headers are no JSON
     */
    public static function fromGlobals(): self
    {
        return self::from(Params::of($_SERVER), Input::fromGlobals());
    }

    /**
     * The same from given values, for tests.
     *
     * @param array<string, mixed> $server as $_SERVER
     * @param array<mixed>         $post   as $_POST
     * @throws Forbidden|InvalidMessage
     */
    public static function fromArrays(array $server, array $post = [], string $body = ''): self
    {
        return self::from(Params::of($server), Input::of($body, $post));
    }

    /**
     * A message of a stream.
     *
     * @param array<string, string> $params those of the request, if the message had one of its own
     * @throws Forbidden|InvalidMessage
     * @internal
     */
    public static function fromStream(array $params, string $body): self
    {
        return self::from(new Params($params), Input::ofFrame($body));
    }

    /** The bytes of the body as they arrived: the message's own with --payload raw, else the form made of them. */
    public function body(): string
    {
        return $this->body->bytes();
    }

    /**
     * The body decoded: $_POST without the daemonId that fpm-bridge added, or what json_decode makes of a body that says
     * it is JSON (objects as arrays, integers beyond 64 bits as strings).
     *
     * In a form every scalar is a string, and null is absent. In field names, dots and spaces have become underscores.
     *
     * @return mixed an array for a form
     * @throws InvalidMessage when it is neither form nor JSON, no valid JSON, or PHP has dropped a part of the form
     */
    public function payload(): mixed
    {
        return $this->body->decoded();
    }

    /**
     * Worker calls it. Of a multipart/form-data body that PHP has taken apart ($_POST, $_FILES) it sees only that a file
     * was cut off, or that there is nothing: with enable_post_data_reading off it sees all.
     *
     * @throws Retry when PHP runs the script with less of the body than the daemon has sent
     */
    public function requireWhole(): void
    {
        $this->body->requireWhole();
    }

    /** Whether the daemon gives up when this execution fails. */
    public function isLastAttempt(): bool
    {
        return $this->attempt >= $this->maxAttempts;
    }

    /** Whole seconds until the deadline, 0 once it has passed; null when there is none. */
    public function secondsLeft(): ?int
    {
        return $this->deadline === null ? null : max(0, $this->deadline - time());
    }

    /** By how many seconds the clock of this host is behind the daemon's, as far as it can be told; 0 when it cannot. */
    public function secondsBehind(): int
    {
        return $this->deadline === null || $this->timeout === null
            ? 0
            : max(0, (int) floor($this->deadline - $this->timeout) - time());
    }

    private static function from(Params $params, Input $input): self
    {
        return new self($params, new Body($params, $input));
    }
}
