<?php

declare(strict_types=1);

/*
 * The smallest worker: php-fpm runs this file once for each message.
 *
 * fpm-bridge posts the message's JSON as a form: the message {"number": 7} arrives as $_POST['number'] = '7'. Which daemon
 * sent it is in $_SERVER['AMQP_DAEMON_ID']; $_POST['daemonId'] says the same, unless a publisher has forged it.
 *
 * The pool's environment sets where it writes and how long it "works":
 *   env[WORKER_LOG] = /var/log/worker.log        (default: worker.log in the system's temporary folder)
 *   env[WORKER_SLEEP_MS] = 1000                  (milliseconds, default 1000)
 */

// The daemon logs what goes to the error log, and keeps it with the dead letter; the body of an answer only callers get.
$refuse = static function (int $status, string $why): never {
    http_response_code($status);
    error_log($why);
    exit("{$why}\n");
};

// PHP runs this also with a part of the body: when its temporary folder is full, or the sender went away.
$input = fopen('php://input', 'r');
fseek($input, 0, SEEK_END);
if (ftell($input) < (int) ($_SERVER['AMQP_BODY_LENGTH'] ?? $_SERVER['CONTENT_LENGTH'] ?? 0)) {
    $refuse(503, 'The body of the message is not whole.');
}

$number = $_POST['number'] ?? null;
$daemonId = $_SERVER['AMQP_DAEMON_ID'] ?? null;
if (!is_string($number) || !is_string($daemonId)) {
    $refuse(400, 'The message needs a number, and fpm-bridge says which daemon it is.');
}

$log = getenv('WORKER_LOG') ?: sys_get_temp_dir() . '/worker.log';
$sleep = getenv('WORKER_SLEEP_MS');

// A line well under PIPE_BUF in one O_APPEND write: lines of children that write at once never mix.
$line = " [x] Processing {$number} from daemon {$daemonId}\n";
if (file_put_contents($log, $line, FILE_APPEND) !== strlen($line)) {
    $refuse(500, "Cannot write to {$log}.");
}

usleep(($sleep === false ? 1000 : max(0, (int) $sleep)) * 1000);
echo 'done';
