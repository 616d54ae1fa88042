<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use Closure;
use Throwable;

/**
 * A handler that may put messages off, and finish several of them at once: with many messages in one request, it is called in this
 * way. With one, as any other.
 */
interface Batching
{
    /**
     * Takes a message. It is finished when $finish has been called, here or at a later message or in flush(): with null for success,
     * with what the handler would have thrown otherwise. Only the first call counts.
     *
     * @param Closure(?Throwable): void $finish
     * @throws Throwable what the handler would have thrown
     */
    public function collect(Message $message, Closure $finish): void;

    /**
     * Finishes all that was put off: no more messages come for now, or at all. What it leaves, or throws, is a failure of each message
     * that is not finished.
     */
    public function flush(): void;
}
