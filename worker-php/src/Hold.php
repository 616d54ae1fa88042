<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use InvalidArgumentException;
use RuntimeException;
use Throwable;

/**
 * Thrown by a handler: nothing works now, whichever the message, because what they all need (a database, say) is away. The
 * daemon keeps this one and those behind it, counts no attempt, and tries one from time to time.
 *
 * For trouble with this message alone throw a Retry: a Hold stands in the way of all. With --ack dispatched the message has
 * been acked, and is not executed again.
 */
class Hold extends RuntimeException
{
    /**
     * @param ?int $seconds for which the daemon leaves the pool alone at least; null leaves it to the daemon
     * @throws InvalidArgumentException for less than 0 seconds
     */
    public function __construct(
        public readonly ?int $seconds = null,
        string $message = 'nothing can be executed now',
        ?Throwable $previous = null,
    ) {
        if ($seconds !== null && $seconds < 0) {
            throw new InvalidArgumentException("A hold takes 0 seconds or more, not {$seconds}.");
        }
        parent::__construct($message, 0, $previous);
    }
}
