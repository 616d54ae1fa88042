<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/** A handler that keeps something from one message of a request to the next, and can clean up between them. */
interface Resettable
{
    /**
     * Called with many messages in one request, after the answer to each. What it throws ends the request: the next message
     * comes in a new one.
     *
     * @throws EndRequest when that is nothing to worry about
     */
    public function reset(): void;
}
