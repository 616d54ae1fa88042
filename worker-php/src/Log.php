<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * Lines for the daemon, which come to it with the answer, and for PHP's error log where that is a file.
 *
 * @internal
 */
final class Log
{
    /** Bytes; an exception's message may be of any length. */
    private const LONGEST_LINE = 4_096;

    /** Of error_log(): to the server, whatever the ini setting error_log says. For php-fpm that is the FastCGI client. */
    private const TO_SERVER = 4;

    public static function write(string $text): void
    {
        $line = substr((string) preg_replace('/[\x00-\x1f\x7f]+/', ' ', $text), 0, self::LONGEST_LINE);
        error_log($line, self::TO_SERVER);
        if ((string) ini_get('error_log') !== '') {
            error_log($line);
        }
    }
}
