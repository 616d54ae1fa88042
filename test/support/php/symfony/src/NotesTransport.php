<?php

declare(strict_types=1);

namespace App;

use Symfony\Component\Messenger\Envelope;
use Symfony\Component\Messenger\Stamp\ErrorDetailsStamp;
use Symfony\Component\Messenger\Stamp\SentToFailureTransportStamp;
use Symfony\Component\Messenger\Transport\Serialization\SerializerInterface;
use Symfony\Component\Messenger\Transport\TransportFactoryInterface;
use Symfony\Component\Messenger\Transport\TransportInterface;
use RuntimeException;

/** Notes what the application sends, to see what it sends beside the daemon's retries; the one named `broken` fails. */
final class NotesTransport implements TransportFactoryInterface, TransportInterface
{
    private string $name = '';

    public function createTransport(string $dsn, array $options, SerializerInterface $serializer): TransportInterface
    {
        $transport = new self();
        $transport->name = substr($dsn, strlen('notes://'));
        return $transport;
    }

    public function supports(string $dsn, array $options): bool
    {
        return str_starts_with($dsn, 'notes://');
    }

    public function send(Envelope $envelope): Envelope
    {
        if ($this->name === 'broken') {
            throw new RuntimeException('the database is away');
        }
        Notes::write("sent-to-{$this->name}", [
            'do' => $envelope->getMessage()->do,
            'from' => $envelope->last(SentToFailureTransportStamp::class)?->getOriginalReceiverName(),
            'error' => $envelope->last(ErrorDetailsStamp::class)?->getExceptionMessage(),
        ]);
        return $envelope;
    }

    public function get(): iterable
    {
        return [];
    }

    public function ack(Envelope $envelope): void
    {
    }

    public function reject(Envelope $envelope): void
    {
    }
}
