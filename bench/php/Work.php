<?php

declare(strict_types=1);

namespace Bench;

/** What a handler of the applications does: the message says it. */
final class Work
{
    /** Microseconds of CPU time. */
    private const COMPUTED = 1_000;

    public static function do(string $what, string $number): void
    {
        match ($what) {
            'nothing' => null,
            'compute' => self::compute(),
            'record' => self::record($number),
        };
    }

    private static function compute(): void
    {
        for ($end = self::used() + self::COMPUTED; self::used() < $end;);
    }

    /** As recording-worker.php does. */
    private static function record(string $number): void
    {
        file_put_contents((string) getenv('RECORDS'), "{$number} 0 " . hrtime(true) . "\n", FILE_APPEND);
    }

    /** Microseconds of CPU time, user and system, of this process so far. */
    private static function used(): int
    {
        $usage = getrusage();
        return ($usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']) * 1_000_000
            + $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'];
    }
}
