<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * What the message is about, such as `App\Message\SendInvoice`: the daemon's log lines and copies of the message say it. The
 * entries for Symfony and Laravel do it by themselves.
 */
final class Subject
{
    /** Bytes. */
    private const LONGEST = 200;

    /** Of the message at hand, where it is one of a stream; its answer has headers of its own. */
    private static ?string $current = null;

    /** The last one counts. Does nothing once the answer has begun. */
    public static function set(string $text): void
    {
        $line = substr((string) preg_replace('/[\x00-\x1f\x7f]+/', ' ', $text), 0, self::LONGEST);
        if ($line === '') {
            return;
        }
        self::$current = $line;
        if (!headers_sent()) {
            header("X-Bridge-Subject: {$line}");
        }
    }

    /**
     * What was set since the last time.
     *
     * @internal
     */
    public static function take(): ?string
    {
        $subject = self::$current;
        self::$current = null;
        return $subject;
    }
}
