<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use InvalidArgumentException;
use RuntimeException;
use Throwable;

/**
 * Thrown by a handler: not now. The message is executed again later, and counts one attempt.
 *
 * Any other exception does the same without a say in the delay; this one is for what is expected, such as a service
 * that asks to be left alone for a while.
 */
class Retry extends RuntimeException
{
    /**
     * @param ?int $seconds the least time until the next attempt; null leaves it to the daemon. It never waits longer
     *                      than its --retry-max-delay (10 minutes, unless told otherwise), nor shorter than it would
     *                      by itself
     * @throws InvalidArgumentException for less than 0 seconds
     */
    public function __construct(
        public readonly ?int $seconds = null,
        string $message = 'to be executed again',
        ?Throwable $previous = null,
    ) {
        if ($seconds !== null && $seconds < 0) {
            throw new InvalidArgumentException("A retry takes 0 seconds or more, not {$seconds}.");
        }
        parent::__construct($message, 0, $previous);
    }
}
