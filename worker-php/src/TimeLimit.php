<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * PHP's max_execution_time, for each message anew. It counts the time that PHP computes, so waiting for the next message costs
 * nothing of it.
 *
 * @internal
 */
final class TimeLimit
{
    /** Nanoseconds between two starts of the clock: it takes a microsecond, and the limit is in whole seconds. */
    private const GRAIN = 10_000_000;

    private readonly string $limit;
    private readonly bool $isOurs;
    private int $started = 0;

    public function __construct()
    {
        $this->limit = (string) ini_get('max_execution_time');
        // It is not where a pool says php_admin_value[max_execution_time]: no handler can change it then, either.
        $this->isOurs = function_exists('set_time_limit') && @set_time_limit((int) $this->limit);
    }

    /** @param int $now nanoseconds, of hrtime() */
    public function restart(int $now): void
    {
        if (!$this->isOurs) {
            return;
        }
        $isChanged = ini_get('max_execution_time') !== $this->limit;
        if ($isChanged || ($this->limit !== '0' && $now - $this->started > self::GRAIN)) {
            set_time_limit((int) $this->limit);
            $this->started = $now;
        }
    }
}
