<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use InvalidArgumentException;

/**
 * The basic properties of a message that is published (AMQP 0-9-1, class basic).
 *
 * @internal
 */
final class Properties
{
    private const TEXTS = [
        'content_type', 'content_encoding', 'correlation_id', 'reply_to', 'expiration', 'message_id', 'type', 'user_id',
        'app_id',
    ];
    private const INTEGERS = ['delivery_mode', 'priority', 'timestamp'];

    /** A short string's length is one byte. */
    private const LONGEST_TEXT = 255;

    /**
     * Checks them, and adds what a message in this queue should have: persistence, an id, and the time.
     *
     * @param array<string, string|int> $given
     * @return array<string, string|int>
     * @throws InvalidArgumentException
     */
    public static function complete(array $given, ?string $contentType): array
    {
        $properties = [];
        foreach ($given as $name => $value) {
            $properties[$name] = match (true) {
                in_array($name, self::TEXTS, true) => self::text($name, (string) $value),
                in_array($name, self::INTEGERS, true) => self::integer($name, $value),
                default => throw new InvalidArgumentException(
                    "There is no property '{$name}'. There are: " . implode(', ', [...self::TEXTS, ...self::INTEGERS]),
                ),
            };
        }
        return $properties + [
            'content_type' => $contentType ?? 'application/octet-stream',
            'delivery_mode' => 2,
            'message_id' => self::uuid(),
            'timestamp' => time(),
        ];
    }

    private static function text(string $name, string $value): string
    {
        if ($value === '' || strlen($value) > self::LONGEST_TEXT) {
            throw new InvalidArgumentException("The property {$name} has 1 to " . self::LONGEST_TEXT . ' bytes.');
        }
        return $value;
    }

    private static function integer(string $name, string|int $value): int
    {
        $integer = filter_var($value, FILTER_VALIDATE_INT, ['options' => ['min_range' => 0]]);
        return $integer === false
            ? throw new InvalidArgumentException("The property {$name} is an integer from 0, not '{$value}'.")
            : $integer;
    }

    /** Version 4 (RFC 9562, section 5.4): random. */
    private static function uuid(): string
    {
        $bytes = random_bytes(16);
        $bytes[6] = chr((ord($bytes[6]) & 0x0f) | 0x40);
        $bytes[8] = chr((ord($bytes[8]) & 0x3f) | 0x80);
        return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
    }
}
