<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Tests;

use FpmBridge\Worker\Lock;
use FpmBridge\Worker\Message;
use FpmBridge\Worker\LockState;

/** Answers as it is told, and remembers what it was asked. */
final class RememberingLock implements Lock
{
    /** @var list<string> */
    public array $calls = [];

    public ?\Throwable $failsWhenDone = null;

    public function __construct(private readonly LockState $state)
    {
    }

    public function acquire(string $messageId, Message $message): LockState
    {
        $this->calls[] = "acquire {$messageId}";
        return $this->state;
    }

    public function done(string $messageId): void
    {
        $this->calls[] = "done {$messageId}";
        if ($this->failsWhenDone !== null) {
            throw $this->failsWhenDone;
        }
    }

    public function release(string $messageId): void
    {
        $this->calls[] = "release {$messageId}";
    }
}
