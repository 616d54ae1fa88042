<?php

declare(strict_types=1);

// worker.php, for many messages in a request.
require __DIR__ . '/../../worker-php/autoload.php';

use FpmBridge\Worker\Message;
use FpmBridge\Worker\Worker;

Worker::run(static function (Message $message): void {
    $number = $message->payload()['number'] ?? throw new LogicException('no number');
    echo 'done';
});
