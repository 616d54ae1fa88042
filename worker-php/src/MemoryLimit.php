<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * What may be in use after a message, so that the next one does not die of what its predecessors have left.
 *
 * @internal
 */
final class MemoryLimit
{
    private readonly int $bytes;

    /** @param ?int $bytes null: half of memory_limit, where that is limited */
    public function __construct(?int $bytes)
    {
        $limit = self::bytesOf((string) ini_get('memory_limit'));
        $this->bytes = $bytes ?? ($limit <= 0 ? PHP_INT_MAX : intdiv($limit, 2));
    }

    /** @return ?string how much is in use, when that is too much */
    public function excess(): ?string
    {
        if (memory_get_usage() <= $this->bytes) {
            return null;
        }
        // What is in use only because it points at itself is no leak.
        gc_collect_cycles();
        $used = memory_get_usage();
        return $used <= $this->bytes ? null : "{$used} bytes are in use, and the limit is {$this->bytes}";
    }

    /** PHP's own notation: 128M. */
    private static function bytesOf(string $text): int
    {
        $shift = ['k' => 10, 'm' => 20, 'g' => 30][strtolower(substr(trim($text), -1))] ?? 0;
        return (int) $text << $shift;
    }
}
