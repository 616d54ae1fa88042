<?php

declare(strict_types=1);

/*
 * The same as worker.php with the composer package, for many messages in a request.
 */

use FpmBridge\Worker\Message;
use FpmBridge\Worker\Reject;
use FpmBridge\Worker\Retry;
use FpmBridge\Worker\Worker;

// A script that outputs is ended when its daemon goes; an execution that was acked would be gone without a trace.
ignore_user_abort(true);
require getenv('CHAOS_PACKAGE') . '/autoload.php';
// What an application loads when it boots; it may be missing.
require __DIR__ . '/application.php';

$journal = fopen((string) getenv('CHAOS_JOURNAL'), 'a');

$note = static function (string $event, Message $message) use ($journal): void {
    $id = $message->payload()['id'];
    $time = sprintf('%.3F', microtime(true) * 1000);
    $line = "{$event} {$id} {$message->executionId} {$message->daemonId} " . getmypid() . " {$message->attempt} {$time}\n";
    if (fwrite($journal, $line) !== strlen($line)) {
        throw new RuntimeException('Cannot write to the journal.');
    }
};

// usleep() ends when a signal comes, as at a reload; a real execution goes on.
$sleep = static function (int $milliseconds): void {
    for ($end = microtime(true) + $milliseconds / 1000; ($left = $end - microtime(true)) > 0; ) {
        usleep((int) ceil($left * 1e6));
    }
};

Worker::run(static function (Message $message) use ($note, $sleep): void {
    $asked = $message->payload();
    $note('start', $message);
    if (!empty($asked['output'])) {
        echo 'begun';
        flush();
    }
    if ($message->attempt <= (int) ($asked['deaths'] ?? 0)) {
        exec('kill -9 ' . getmypid());
        sleep(5);
    }
    if ($message->attempt === 1 && !empty($asked['hangs'])) {
        sleep(60);
    }
    $sleep((int) ($asked['ms'] ?? 0));
    $failed = $message->attempt <= (int) ($asked['failures'] ?? 0);
    $refused = !empty($asked['refused']) || !empty($asked['breaks']);
    $note($failed || $refused ? 'failed' : 'done', $message);
    $sleep((int) ($asked['lingers'] ?? 0));
    if ($refused) {
        throw new Reject('refused');
    }
    if ($failed) {
        throw new Retry();
    }
});
