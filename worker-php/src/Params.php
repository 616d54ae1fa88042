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

    /** @param array<string, string> $texts by name; reading them here costs a fifth of a call */
    public function __construct(public readonly array $texts)
    {
    }

    /** @param array<string, mixed> $server as $_SERVER, of which scalars count, and nothing else */
    public static function of(array $server): self
    {
        return new self(array_map(strval(...), array_filter($server, is_scalar(...))));
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
            if (($this->texts[$name] ?? '') === '') {
                throw new Forbidden("this request has no {$name}, so it does not come from fpm-bridge");
            }
        }
        $method = $this->texts['REQUEST_METHOD'] ?? 'none';
        if ($method !== 'POST') {
            throw new Forbidden("fpm-bridge sends POST requests, and the method of this one is {$method}");
        }
    }

    public function text(string $name): ?string
    {
        return $this->texts[$name] ?? null;
    }

    /** Null also for what is no integer, or none of 64 bits. */
    public function integer(string $name): ?int
    {
        $text = $this->texts[$name] ?? null;
        $value = (int) $text;
        return (string) $value === $text ? $value : null;
    }

    /** Null also for what is no number. */
    public function number(string $name): ?float
    {
        $text = $this->texts[$name] ?? null;
        return is_numeric($text) ? (float) $text : null;
    }

    /**
     * @return array<mixed> empty when there is none
     * @throws InvalidMessage
     */
    public function json(string $name): array
    {
        $text = $this->texts[$name] ?? null;
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
