<?php

declare(strict_types=1);

/*
 * A worker that acts once on each message id, however often the message comes.
 *
 * The pool's environment says where it writes, and where it keeps the locks, a folder that all pools of the queue share:
 *   env[WORKER_LOG] = /var/log/worker.log
 *   env[WORKER_LOCKS] = /var/lib/worker/locks
 */

use FpmBridge\Worker\FileLock;
use FpmBridge\Worker\Message;
use FpmBridge\Worker\Worker;

require __DIR__ . '/../autoload.php'; // or composer's vendor/autoload.php

Worker::run(
    static function (Message $message): void {
        $line = " [x] Processing {$message->payload()['number']} from daemon {$message->daemonId}\n";
        file_put_contents((string) getenv('WORKER_LOG'), $line, FILE_APPEND);
    },
    new FileLock((string) getenv('WORKER_LOCKS')),
);
