<?php

declare(strict_types=1);

// recording-worker.php, for many messages in a request.
require __DIR__ . '/../../worker-php/autoload.php';

use FpmBridge\Worker\Message;
use FpmBridge\Worker\Worker;

$records = (string) getenv('RECORDS');

Worker::run(static function (Message $message) use ($records): void {
    $started = hrtime(true);
    $fields = $message->payload();
    $line = "{$fields['number']} " . ($fields['published'] ?? 0) . " {$started}\n";
    file_put_contents($records, $line, FILE_APPEND);
    echo 'done';
});
