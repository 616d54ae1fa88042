<?php

declare(strict_types=1);

/*
 * A worker that callers wait for: what it prints is the answer (fpm-bridge run --replies).
 *
 *   fpm-bridge publish --wait-reply 10s '{"add": [1, 2, 3.5]}'
 *
 * A message may run twice, and is answered twice then; callers take the first answer.
 */

use FpmBridge\Worker\Message;
use FpmBridge\Worker\Reject;
use FpmBridge\Worker\Worker;

require __DIR__ . '/../autoload.php'; // or composer's vendor/autoload.php

Worker::run(static function (Message $message): void {
    $numbers = $message->payload()['add'] ?? null;
    if (!is_array($numbers) || $numbers !== array_filter($numbers, is_numeric(...))) {
        throw new Reject('add needs a list of numbers'); // the caller gets this text, with status 422
    }
    header('Content-Type: application/json');
    echo json_encode(['sum' => array_sum($numbers)]);
});
