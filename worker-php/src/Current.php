<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * The message of a stream that is being executed, for those who are not given it: the superglobals are the request's.
 *
 * @internal
 */
final class Current
{
    private static ?Message $message = null;

    public static function set(?Message $message): void
    {
        self::$message = $message;
    }

    public static function message(): ?Message
    {
        return self::$message;
    }
}
