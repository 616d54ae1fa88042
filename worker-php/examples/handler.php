<?php

declare(strict_types=1);

/*
 * A worker whose failures are what they are: the message is acked when the function has returned, and not otherwise.
 *
 * The pool's environment says where it writes: env[WORKER_LOG] = /var/log/worker.log
 */

use FpmBridge\Worker\Message;
use FpmBridge\Worker\Reject;
use FpmBridge\Worker\Retry;
use FpmBridge\Worker\Worker;

require __DIR__ . '/../autoload.php'; // or composer's vendor/autoload.php

Worker::run(static function (Message $message): void {
    $number = $message->payload()['number'] ?? null;
    if (!is_string($number)) {
        throw new Reject('the message needs a number');
    }
    $log = getenv('WORKER_LOG') ?: sys_get_temp_dir() . '/worker.log';
    $line = " [x] Processing {$number} from daemon {$message->daemonId}\n";
    if (@file_put_contents($log, $line, FILE_APPEND) !== strlen($line)) {
        throw new Retry(30, "cannot write to {$log}");
    }
});
