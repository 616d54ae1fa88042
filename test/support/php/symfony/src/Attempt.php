<?php

declare(strict_types=1);

namespace App;

use FpmBridge\Worker\Symfony\DeliveryStamp;
use Symfony\Component\Messenger\Envelope;

/** The number of the execution, for handlers, which are given the message alone. */
final class Attempt
{
    public static int $number = 0;

    public static function of(Envelope $envelope): void
    {
        self::$number = $envelope->last(DeliveryStamp::class)?->message->attempt ?? 0;
    }
}
