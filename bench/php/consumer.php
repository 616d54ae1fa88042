<?php

declare(strict_types=1);

/*
 * consumer.php PORT QUEUE PREFETCH
 *
 * The convention: a long-lived process that consumes, does the work of worker.php itself, and acks. With RECORDS in
 * its environment it does the work of recording-worker.php.
 */

require 'PhpAmqpLib/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;

[, $port, $queue, $prefetch] = $argv;
$records = getenv('RECORDS');
$connection = new AMQPStreamConnection('127.0.0.1', (int) $port, 'guest', 'guest');
$channel = $connection->channel();
$channel->basic_qos(0, (int) $prefetch, false);

$execute = static function (AMQPMessage $message) use ($records): void {
    $fields = json_decode($message->getBody(), true);
    $number = $fields['number'] ?? throw new LogicException('no number');
    if ($records !== false) {
        file_put_contents($records, "{$number} 0 " . hrtime(true) . "\n", FILE_APPEND);
    }
    $message->ack();
};

pcntl_async_signals(true);
pcntl_signal(SIGTERM, static fn() => exit(0));
$channel->basic_consume($queue, '', false, false, false, false, $execute);
while ($channel->is_consuming()) {
    $channel->wait();
}
