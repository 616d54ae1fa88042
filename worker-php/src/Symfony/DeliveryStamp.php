<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Symfony;

use FpmBridge\Worker\Message;
use Symfony\Component\Messenger\Stamp\NonSendableStampInterface;

/** The delivery that an envelope came with, for middlewares; the AmqpReceivedStamp would take the AMQP extension. */
final class DeliveryStamp implements NonSendableStampInterface
{
    public function __construct(public readonly Message $message)
    {
    }
}
