<?php

declare(strict_types=1);

/*
 * What a serializer is given to decode: in php-fpm, by worker-php; on the command line (php spy.php '{"dsn", "options"}')
 * by Symfony's own receiver with the AMQP extension.
 */

use App\Notes;
use App\Task;
use FpmBridge\Worker\Message;
use FpmBridge\Worker\Symfony\Messenger;
use FpmBridge\Worker\Worker;
use Symfony\Component\Messenger\Bridge\Amqp\Transport\AmqpTransportFactory;
use Symfony\Component\Messenger\Envelope;
use Symfony\Component\Messenger\MessageBus;
use Symfony\Component\Messenger\Transport\Serialization\SerializerInterface;

require __DIR__ . '/autoload.php';

$spy = new class implements SerializerInterface {
    public function decode(array $encodedEnvelope): Envelope
    {
        Notes::write(PHP_SAPI, $encodedEnvelope);
        return new Envelope(new Task('nothing'));
    }

    public function encode(Envelope $envelope): array
    {
        return [];
    }
};

if (PHP_SAPI === 'cli') {
    ['dsn' => $dsn, 'options' => $options] = json_decode($argv[1], true);
    $transport = (new AmqpTransportFactory())->createTransport($dsn, $options, $spy);
    foreach ($transport->get() as $envelope) {
        $transport->ack($envelope);
    }
} else {
    Worker::run(static fn (Message $message) => (new Messenger(new MessageBus(), $spy, 'async'))($message));
}
