<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/** What a lock knows of a message. */
final class LockState
{
    private function __construct(public readonly string $name, public readonly ?int $retryAfter = null)
    {
    }

    /** It was nobody's, and now is ours to execute. */
    public static function acquired(): self
    {
        return new self('acquired');
    }

    /** It has been executed. */
    public static function done(): self
    {
        return new self('done');
    }

    /**
     * Somebody else is executing it, or has died while doing so.
     *
     * @param ?int $retryAfter seconds after which that will have ended; null when nobody knows
     */
    public static function busy(?int $retryAfter = null): self
    {
        return new self('busy', $retryAfter);
    }
}
