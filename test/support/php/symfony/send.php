<?php

declare(strict_types=1);

/*
 * Sends messages as an application does: php send.php '{"dsn", "options", "serializer", "messages": [{"class", "do",
 * "bytes" (in hexadecimal), "delay" (milliseconds)}]}'. The transport is Symfony's own, with the AMQP extension.
 */

use App\Task;
use Symfony\Component\Messenger\Bridge\Amqp\Transport\AmqpTransportFactory;
use Symfony\Component\Messenger\Envelope;
use Symfony\Component\Messenger\Stamp\BusNameStamp;
use Symfony\Component\Messenger\Stamp\DelayStamp;
use Symfony\Component\Messenger\Transport\Serialization\PhpSerializer;
use Symfony\Component\Messenger\Transport\Serialization\Serializer;

require __DIR__ . '/autoload.php';
// A class of the sender that the consumer does not have.
eval('namespace App; final class Unknown extends Task {}');

$order = json_decode($argv[1], true);
$transport = (new AmqpTransportFactory())->createTransport(
    $order['dsn'],
    $order['options'],
    $order['serializer'] === 'json' ? Serializer::create() : new PhpSerializer(),
);
foreach ($order['messages'] as ['class' => $class, 'do' => $do, 'bytes' => $bytes, 'delay' => $delay]) {
    $stamps = [new BusNameStamp('command.bus'), ...($delay === 0 ? [] : [new DelayStamp($delay)])];
    $transport->send(new Envelope(new $class($do, hex2bin($bytes)), $stamps));
}
