<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use RuntimeException;
use Throwable;

/**
 * The message was not published, as far as anybody knows. Publishing it again with the same message id is safe where the
 * worker has a lock.
 */
class PublishFailed extends RuntimeException
{
    final public function __construct(
        string $message,
        public readonly string $messageId,
        ?Throwable $previous = null,
    ) {
        parent::__construct($message, 0, $previous);
    }
}
