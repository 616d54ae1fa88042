<?php

declare(strict_types=1);

/*
 * reference-daemon.php PORT QUEUE SOCKET SCRIPT
 *
 * The daemon that fpm-bridge is measured against: one message at a time, JSON decoded, the daemon's id added, posted as
 * a form over a connection of its own, acked as soon as the request is written, a line logged; the answer is not waited for.
 *
 * It closes the connection at once. php-fpm has the whole request in its socket by then, and runs a script that
 * outputs nothing before its end to that end; verify.ts sees to it that every message is executed exactly once.
 * A full backlog makes connect() wait.
 */

require 'PhpAmqpLib/autoload.php';
require __DIR__ . '/fastcgi-request.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;

[, $port, $queue, $socket, $script] = $argv;
$daemonId = sprintf('D-%03d', random_int(1, 100));
$connection = new AMQPStreamConnection('127.0.0.1', (int) $port, 'guest', 'guest');
$channel = $connection->channel();
$channel->basic_qos(0, 1, false);

$execute = static function (AMQPMessage $message) use ($daemonId, $socket, $script): void {
    $fields = json_decode($message->getBody(), true);
    $fields['daemonId'] = $daemonId;
    $request = fastCgiPost($script, http_build_query($fields));
    $pool = stream_socket_client("unix://{$socket}", $code, $reason, 5);
    if ($pool === false) {
        throw new RuntimeException("cannot connect: {$reason}");
    }
    for ($sent = 0; $sent < strlen($request); $sent += $written) {
        $written = fwrite($pool, $sent === 0 ? $request : substr($request, $sent));
        if ($written === false || $written === 0) {
            throw new RuntimeException('cannot write');
        }
    }
    fclose($pool);
    $message->ack();
    echo " [x] {$daemonId} sent {$fields['number']}\n";
};

pcntl_async_signals(true);
pcntl_signal(SIGTERM, static fn() => exit(0));
$channel->basic_consume($queue, $daemonId, false, false, false, false, $execute);
while ($channel->is_consuming()) {
    $channel->wait();
}
