<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use JsonException;

/**
 * The variables of a request, read with care: a string or nothing.
 *
 * @internal
 */
final class Params
{
    /** Deeper than any table that the daemon hands over: it stops at 511 levels. */
    private const MAX_DEPTH = 2_048;

    /** @param array<string, mixed> $server as $_SERVER */
    public function __construct(private readonly array $server)
    {
    }

    /**
     * Whoever sends requests through a web server to this pool can set HTTP_* variables and no other; only a FastCGI
     * client of the socket names the AMQP_* ones.
     *
     * @throws Forbidden
     */
    public function requireBridge(): void
    {
        foreach (['AMQP_EXECUTION_ID', 'AMQP_DAEMON_ID', 'AMQP_QUEUE'] as $name) {
            if (($this->text($name) ?? '') === '') {
                throw new Forbidden("this request has no {$name}, so it does not come from fpm-bridge");
            }
        }
        $method = $this->text('REQUEST_METHOD') ?? 'none';
        if ($method !== 'POST') {
            throw new Forbidden("fpm-bridge sends POST requests, and the method of this one is {$method}");
        }
    }

    public function text(string $name): ?string
    {
        $value = $this->server[$name] ?? null;
        return is_scalar($value) ? (string) $value : null;
    }

    /** Null also for what is no integer, or none of 64 bits. */
    public function integer(string $name): ?int
    {
        $value = filter_var($this->text($name), FILTER_VALIDATE_INT);
        return $value === false ? null : $value;
    }

    /** Null also for what is no number. */
    public function number(string $name): ?float
    {
        $value = filter_var($this->text($name), FILTER_VALIDATE_FLOAT);
        return $value === false ? null : $value;
    }

    /**
     * @return array<mixed> empty when there is none
     * @throws InvalidMessage
     */
    public function json(string $name): array
    {
        $text = $this->text($name);
        if ($text === null) {
            return [];
        }
        try {
            $value = json_decode($text, true, self::MAX_DEPTH, JSON_THROW_ON_ERROR | JSON_BIGINT_AS_STRING);
        } catch (JsonException $error) {
            throw new InvalidMessage("{$name} is no JSON: {$error->getMessage()}", 0, $error);
        }
        return is_array($value) ? $value : throw new InvalidMessage("{$name} is JSON, but no object");
    }
}
