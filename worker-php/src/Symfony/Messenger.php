<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Symfony;

use Closure;
use FpmBridge\Worker\Batching;
use FpmBridge\Worker\Log;
use FpmBridge\Worker\Message;
use FpmBridge\Worker\Reject;
use FpmBridge\Worker\Retry;
use Psr\Log\LoggerInterface;
use SplObjectStorage;
use Symfony\Component\EventDispatcher\EventDispatcherInterface;
use Symfony\Component\Messenger\Envelope;
use Symfony\Component\Messenger\Event\WorkerMessageFailedEvent;
use Symfony\Component\Messenger\Event\WorkerMessageHandledEvent;
use Symfony\Component\Messenger\Event\WorkerMessageReceivedEvent;
use Symfony\Component\Messenger\EventListener\SendFailedMessageForRetryListener;
use Symfony\Component\Messenger\EventListener\SendFailedMessageToFailureTransportListener;
use Symfony\Component\Messenger\Exception\HandlerFailedException;
use Symfony\Component\Messenger\MessageBusInterface;
use Symfony\Component\Messenger\Stamp\AckStamp;
use Symfony\Component\Messenger\Stamp\ConsumedByWorkerStamp;
use Symfony\Component\Messenger\Stamp\DelayStamp;
use Symfony\Component\Messenger\Stamp\FlushBatchHandlersStamp;
use Symfony\Component\Messenger\Stamp\NoAutoAckStamp;
use Symfony\Component\Messenger\Stamp\ReceivedStamp;
use Symfony\Component\Messenger\Stamp\RedeliveryStamp;
use Symfony\Component\Messenger\Stamp\SentToFailureTransportStamp;
use Symfony\Component\Messenger\Transport\Sender\SenderInterface;
use Symfony\Component\Messenger\Transport\Serialization\SerializerInterface;
use Throwable;

/**
 * Executes a message of Symfony Messenger's AMQP transport on the application's bus, as `messenger:consume` would:
 *
 *     Worker::run(new Messenger($bus, new PhpSerializer(), 'async'));
 *
 * | what happens                                             | what becomes of the message                     |
 * |----------------------------------------------------------|-------------------------------------------------|
 * | the bus returns                                          | acked                                           |
 * | the serializer cannot decode it                          | dead-lettered                                   |
 * | every handler that failed threw what is unrecoverable    | given up: failure transport, else dead-lettered |
 * | a handler throws a Hold                                  | kept, with all others, until things work again  |
 * | anything else is thrown, also: there is no handler       | repeated by the daemon                          |
 * | the same, at the last attempt                            | given up: failure transport, else dead-lettered |
 * | a listener of WorkerMessageReceivedEvent holds it back   | repeated by the daemon                          |
 * | a handler exits, dies of a fatal error, a lack of memory | repeated by the daemon, at last dead-lettered   |
 *
 * Nothing is sent for a retry: that is the daemon's. It changes the dispatcher it is given. It may be used for one message after
 * the other, and then batch handlers get their batches; KernelMessenger resets services between them.
 */
final class Messenger implements Batching
{
    private readonly Decoder $decoder;

    /** @var SplObjectStorage<object, array{Envelope, Closure}> by batch handler: its last envelope, and what takes its end */
    private SplObjectStorage $putOff;

    /**
     * @param MessageBusInterface       $bus              the routable one, where there are several
     * @param SerializerInterface       $serializer       of the transport that the messages were sent to
     * @param string                    $transport        its name, as handlers and listeners know it
     * @param ?EventDispatcherInterface $dispatcher       gets the events of a worker's messages
     * @param ?SenderInterface          $failureTransport takes what is given up; without it, or when it fails, the
     *                                                    dead-letter queue does
     * @param ?LoggerInterface          $logger           gets a line for each failure, beside the error log. When it
     *                                                    throws, or a listener of WorkerMessageFailedEvent does, that
     *                                                    is one more line in the error log, and changes nothing else
     */
    public function __construct(
        private readonly MessageBusInterface $bus,
        SerializerInterface $serializer,
        private readonly string $transport,
        private readonly ?EventDispatcherInterface $dispatcher = null,
        private readonly ?SenderInterface $failureTransport = null,
        private readonly ?LoggerInterface $logger = null,
    ) {
        $this->decoder = new Decoder($serializer);
        $this->putOff = new SplObjectStorage();
    }

    /** @throws Throwable whatever keeps the message from being acked: a Reject, a Retry, or the failure itself */
    public function __invoke(Message $message): void
    {
        // Without an AckStamp: with one, a batch handler would wait for more messages.
        $envelope = $this->received($message);
        $error = null;
        try {
            $envelope = $this->bus->dispatch($envelope);
        } catch (Throwable $error) {
        }
        $this->conclude($envelope, $error, $message);
    }

    /** What has failed before is handled alone: in a batch, one message that breaks it would break it for the others at each attempt. */
    public function collect(Message $message, Closure $finish): void
    {
        if ($message->attempt > 1) {
            $this($message);
            $finish(null);
            return;
        }
        $isConcluded = false;
        $conclude = function (Envelope $envelope, ?Throwable $error = null) use ($message, $finish, &$isConcluded): void {
            $isConcluded = true;
            try {
                $this->conclude($envelope, $error, $message);
                $finish(null);
            } catch (Throwable $verdict) {
                $finish($verdict);
            }
        };
        $envelope = $this->received($message)->with(new AckStamp($conclude));
        $error = null;
        try {
            $envelope = $this->bus->dispatch($envelope);
        } catch (Throwable $error) {
        }
        $batch = $envelope->last(NoAutoAckStamp::class);
        if ($batch !== null) {
            $handler = $batch->getHandlerDescriptor()->getBatchHandler();
            $this->putOff[$handler] = [$envelope->withoutAll(AckStamp::class), $conclude];
        } elseif (!$isConcluded) {
            $conclude($envelope, $error);
        }
    }

    public function flush(): void
    {
        $putOff = $this->putOff;
        $this->putOff = new SplObjectStorage();
        $failure = null;
        foreach ($putOff as $handler) {
            [$envelope, $conclude] = $putOff[$handler];
            try {
                $this->bus->dispatch($envelope->with(new FlushBatchHandlersStamp(true)));
            } catch (Throwable $error) {
                $conclude($envelope, $error);
                $failure ??= $error;
            }
        }
        if ($failure !== null) {
            throw $failure;
        }
    }

    private function received(Message $message): Envelope
    {
        $received = new WorkerMessageReceivedEvent($this->decoder->decode($message), $this->transport);
        $this->dispatcher?->dispatch($received);
        if (!$received->shouldHandle()) {
            throw new Retry(null, 'a listener of WorkerMessageReceivedEvent has held it back');
        }
        $envelope = $received->getEnvelope()->with(
            new ReceivedStamp($this->transport),
            new ConsumedByWorkerStamp(),
            new DeliveryStamp($message),
        );
        $retries = $message->attempt - 1;
        return $retries === 0
            ? $envelope
            : $envelope->with(new RedeliveryStamp(RedeliveryStamp::getRetryCountFromEnvelope($envelope) + $retries));
    }

    private function conclude(Envelope $envelope, ?Throwable $error, Message $message): void
    {
        if ($error === null) {
            $this->dispatcher?->dispatch(new WorkerMessageHandledEvent($envelope, $this->transport));
        } else {
            $failed = $error instanceof HandlerFailedException ? $error->getEnvelope() : $envelope;
            $this->fail($failed, $error, $message);
        }
    }

    /** Returns only when the failure transport has the message. */
    private function fail(Envelope $envelope, Throwable $error, Message $message): void
    {
        $failure = new Failure($error);
        $givenUp = $failure->isUnrecoverable() || ($message->isLastAttempt() && !$failure->isHold());
        $event = new WorkerMessageFailedEvent($envelope, $this->transport, $error);
        if (!$givenUp) {
            $event->setForRetry();
        }
        self::attempt('logger', fn () => $this->log($envelope, $error, $message, $givenUp));
        if ($this->dispatcher !== null) {
            self::removeSenders($this->dispatcher);
            self::attempt('listener of WorkerMessageFailedEvent', fn () => $this->dispatcher->dispatch($event));
        }
        if (!$givenUp || !$this->sendToFailureTransport($event->getEnvelope(), $failure)) {
            throw $failure->verdict();
        }
    }

    /** What tells of a failure must not become one in its place. */
    private static function attempt(string $who, callable $tell): void
    {
        try {
            $tell();
        } catch (Throwable $error) {
            Log::write("fpm-bridge: the {$who} has failed with " . Failure::describe($error));
        }
    }

    /** Takes out the listeners of Messenger itself that send a failed message on its way: it would be there twice. */
    private static function removeSenders(EventDispatcherInterface $dispatcher): void
    {
        foreach ($dispatcher->getListeners(WorkerMessageFailedEvent::class) as $listener) {
            $object = is_array($listener) ? $listener[0] : $listener;
            $isSender = $object instanceof SendFailedMessageForRetryListener
                || $object instanceof SendFailedMessageToFailureTransportListener;
            if ($isSender) {
                $dispatcher->removeListener(WorkerMessageFailedEvent::class, $listener);
            }
        }
    }

    private function sendToFailureTransport(Envelope $envelope, Failure $failure): bool
    {
        // What failed once more on its way from there is not sent round in a circle.
        if ($this->failureTransport === null || $envelope->last(SentToFailureTransportStamp::class) !== null) {
            return false;
        }
        try {
            $this->failureTransport->send($envelope->with(
                new SentToFailureTransportStamp($this->transport),
                new DelayStamp(0),
                new RedeliveryStamp(0),
            ));
            return true;
        } catch (Throwable $error) {
            $text = Failure::describe($error);
            throw new Reject("{$failure->reason()}; the failure transport did not take it: {$text}", 0, $error);
        }
    }

    private function log(Envelope $envelope, Throwable $error, Message $message, bool $givenUp): void
    {
        $this->logger?->log(
            $givenUp ? 'critical' : 'warning',
            'Attempt {attempt} of {maxAttempts} to handle message {class} failed, it is {fate}. Error: "{error}"',
            [
                'class' => get_class($envelope->getMessage()),
                'attempt' => $message->attempt,
                'maxAttempts' => $message->maxAttempts,
                'fate' => $givenUp ? 'given up' : 'repeated by fpm-bridge',
                'error' => $error->getMessage(),
                'exception' => $error,
            ],
        );
    }
}
