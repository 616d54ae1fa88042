<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Symfony;

use ArrayAccess;

/**
 * Adds to each line of Monolog which execution of which message it belongs to: `execution_id` and `message_id`, as in the
 * daemon's log. With MonologBundle, the tag `monolog.processor` is all it takes. In other requests it adds nothing.
 */
final class LogContext
{
    /** @var array<string, string> */
    private readonly array $fields;

    public function __construct()
    {
        $this->fields = array_filter([
            'execution_id' => $_SERVER['AMQP_EXECUTION_ID'] ?? null,
            'message_id' => $_SERVER['AMQP_MESSAGE_ID'] ?? null,
        ], is_string(...));
    }

    /**
     * @template T of array<string, mixed>|ArrayAccess<string, mixed>
     * @param T $record an array for Monolog 2, a LogRecord for Monolog 3
     * @return T
     */
    public function __invoke(array|ArrayAccess $record): array|ArrayAccess
    {
        $record['extra'] = [...$record['extra'], ...$this->fields];
        return $record;
    }
}
