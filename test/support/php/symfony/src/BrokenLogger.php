<?php

declare(strict_types=1);

namespace App;

use Psr\Log\AbstractLogger;
use RuntimeException;

/** Cannot write: the disk is full. */
final class BrokenLogger extends AbstractLogger
{
    /**
     * @param mixed              $level
     * @param string|\Stringable $message
     */
    public function log($level, $message, array $context = []): void
    {
        throw new RuntimeException('the log cannot be written');
    }
}
