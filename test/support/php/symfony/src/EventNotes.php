<?php

declare(strict_types=1);

namespace App;

use Symfony\Component\EventDispatcher\EventSubscriberInterface;
use Symfony\Component\Messenger\Event\AbstractWorkerMessageEvent;
use Symfony\Component\Messenger\Event\WorkerMessageFailedEvent;
use Symfony\Component\Messenger\Event\WorkerMessageHandledEvent;
use Symfony\Component\Messenger\Event\WorkerMessageReceivedEvent;
use Symfony\Component\Messenger\Event\WorkerMessageRetriedEvent;

/** Notes what an application's listeners hear. */
final class EventNotes implements EventSubscriberInterface
{
    public static function getSubscribedEvents(): array
    {
        return array_fill_keys([
            WorkerMessageReceivedEvent::class,
            WorkerMessageHandledEvent::class,
            WorkerMessageFailedEvent::class,
            WorkerMessageRetriedEvent::class,
        ], 'note');
    }

    public function note(AbstractWorkerMessageEvent $event): void
    {
        $class = get_class($event);
        if ($event instanceof WorkerMessageReceivedEvent && $event->getEnvelope()->getMessage()->do === 'hold back') {
            $event->shouldHandle(false);
        }
        Notes::write('events', [
            'do' => $event->getEnvelope()->getMessage()->do,
            'event' => substr($class, strrpos($class, '\\') + 1),
            'transport' => $event->getReceiverName(),
            'willRetry' => $event instanceof WorkerMessageFailedEvent ? $event->willRetry() : null,
        ]);
    }
}
