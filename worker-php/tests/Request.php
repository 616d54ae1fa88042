<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Tests;

use FpmBridge\Worker\Message;

/** Requests as the daemon makes them. */
final class Request
{
    public const PARAMS = [
        'REQUEST_METHOD' => 'POST',
        'CONTENT_TYPE' => 'application/x-www-form-urlencoded',
        'AMQP_DAEMON_ID' => 'D-1f3a9c02',
        'AMQP_QUEUE' => 'commands',
        'AMQP_EXCHANGE' => '',
        'AMQP_ROUTING_KEY' => 'commands',
        'AMQP_CONSUMER_TAG' => 'D-1f3a9c02',
        'AMQP_REDELIVERED' => '0',
        'AMQP_EXECUTION_ID' => 'e6b1a1f2-0000-4000-8000-000000000001',
        'AMQP_ATTEMPT' => '1',
        'AMQP_MAX_ATTEMPTS' => '5',
        'AMQP_MESSAGE_ID' => 'm-1',
    ];

    /**
     * @param array<string, mixed> $params over those of an ordinary message; null takes one away
     */
    public static function message(array $params = [], array $post = [], string $body = ''): Message
    {
        $all = array_filter($params + self::PARAMS, static fn (mixed $value): bool => $value !== null);
        return Message::fromArrays($all, $post, $body);
    }

    public static function form(string $body, array $params = []): Message
    {
        parse_str($body, $post);
        return self::message($params, $post, $body);
    }

    public static function json(string $body, array $params = []): Message
    {
        return self::message($params + ['CONTENT_TYPE' => 'application/json'], [], $body);
    }
}
