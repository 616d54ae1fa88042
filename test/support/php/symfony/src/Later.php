<?php

declare(strict_types=1);

namespace App;

use Symfony\Component\Messenger\Exception\RecoverableMessageHandlingException;

/** As Symfony's own is since 7.2. */
final class Later extends RecoverableMessageHandlingException
{
    /** Milliseconds. */
    public function getRetryDelay(): int
    {
        return 1_500;
    }
}
