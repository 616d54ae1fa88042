<?php

declare(strict_types=1);

namespace App;

use FpmBridge\Worker\Symfony\DeliveryStamp;
use Symfony\Component\Messenger\Envelope;
use Symfony\Component\Messenger\Middleware\MiddlewareInterface;
use Symfony\Component\Messenger\Middleware\StackInterface;
use Symfony\Component\Messenger\Stamp\BusNameStamp;
use Symfony\Component\Messenger\Stamp\ConsumedByWorkerStamp;
use Symfony\Component\Messenger\Stamp\DelayStamp;
use Symfony\Component\Messenger\Stamp\ReceivedStamp;
use Symfony\Component\Messenger\Stamp\RedeliveryStamp;

/** Notes the stamps that came, and those of the consumer. */
final class NoteMiddleware implements MiddlewareInterface
{
    public function handle(Envelope $envelope, StackInterface $stack): Envelope
    {
        Attempt::of($envelope);
        Notes::write('stamps', [
            'do' => $envelope->getMessage()->do,
            'bus' => $envelope->last(BusNameStamp::class)?->getBusName(),
            'delay' => $envelope->last(DelayStamp::class)?->getDelay(),
            'receivedFrom' => $envelope->last(ReceivedStamp::class)?->getTransportName(),
            'byWorker' => $envelope->last(ConsumedByWorkerStamp::class) !== null,
            'retries' => RedeliveryStamp::getRetryCountFromEnvelope($envelope),
            'queue' => $envelope->last(DeliveryStamp::class)?->message->queue,
        ]);
        return $stack->next()->handle($envelope, $stack);
    }
}
