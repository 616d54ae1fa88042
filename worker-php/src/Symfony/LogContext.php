<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Symfony;

use ArrayAccess;
use FpmBridge\Worker\Current;

/**
 * Adds to each line of Monolog which execution of which message it belongs to: `execution_id` and `message_id`, as in the
 * daemon's log. With MonologBundle, the tag `monolog.processor` is all it takes. In other requests it adds nothing.
 */
final class LogContext
{
    /**
     * @template T of array<string, mixed>|ArrayAccess<string, mixed>
     * @param T $record an array for Monolog 2, a LogRecord for Monolog 3
     * @return T
     */
    public function __invoke(array|ArrayAccess $record): array|ArrayAccess
    {
        $record['extra'] = [...$record['extra'], ...self::fields()];
        return $record;
    }

    /** @return array<string, string> */
    private static function fields(): array
    {
        $message = Current::message();
        return array_filter([
            'execution_id' => $message?->executionId ?? $_SERVER['AMQP_EXECUTION_ID'] ?? null,
            'message_id' => $message?->messageId ?? $_SERVER['AMQP_MESSAGE_ID'] ?? null,
        ], is_string(...));
    }
}
