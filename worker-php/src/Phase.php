<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * What a stream's worker is at: what is still to be said if the script ends here.
 *
 * @internal
 */
enum Phase
{
    /** The handler is being made: no hello has been said, so no message has come. */
    case Booting;

    /** Nothing is being executed: only that no more is. */
    case Between;

    /** A message has come that has no answer yet. */
    case Executing;

    /** Something is being written, or could not be written: the daemon is gone, or a handler has ended the request. */
    case Writing;

    /** Nothing: it has been said, or cannot be said any more. */
    case Over;
}
