<?php

declare(strict_types=1);

/*
 * The smallest worker: php-fpm runs this file once for each message.
 *
 * fpm-bridge posts the message's JSON as a form, with the id of the daemon that sent it added, so the
 * message {"number": 7} arrives as $_POST = ['number' => '7', 'daemonId' => 'D-1f3a9c02'].
 *
 * The pool's environment sets where it writes and how long it "works":
 *   env[WORKER_LOG] = /var/log/worker.log        (default: worker.log in the system's temporary folder)
 *   env[WORKER_SLEEP_MS] = 1000                  (milliseconds, default 1000)
 */

$number = $_POST['number'] ?? null;
$daemonId = $_POST['daemonId'] ?? null;
if (!is_string($number) || !is_string($daemonId)) {
    http_response_code(400);
    exit("The message needs a number, and the daemon adds its daemonId.\n");
}

$log = getenv('WORKER_LOG') ?: sys_get_temp_dir() . '/worker.log';
$sleep = getenv('WORKER_SLEEP_MS');

// A line well under PIPE_BUF in one O_APPEND write: lines of children that write at once never mix.
$line = " [x] Processing {$number} from daemon {$daemonId}\n";
if (file_put_contents($log, $line, FILE_APPEND) !== strlen($line)) {
    http_response_code(500);
    exit("Cannot write to {$log}.\n");
}

usleep(($sleep === false ? 1000 : max(0, (int) $sleep)) * 1000);
echo 'done';
