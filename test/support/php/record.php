<?php

declare(strict_types=1);

/*
 * Writes down what it was given and when it ran: one JSON line per execution, in a file of the queue's own beside
 * the worker's log. The form field `sleepMs` makes it slow, `status` sets its answer, `stderr` goes to stderr.
 */

$started = microtime(true);
$body = file_get_contents('php://input');
usleep((int) ($_POST['sleepMs'] ?? 0) * 1000);
if (isset($_POST['stderr'])) {
    error_log((string) $_POST['stderr']);
}

$isParam = static fn (string $name): bool => preg_match('/^(AMQP_|CONTENT_|HTTP_|REQUEST_|SCRIPT_|SERVER_|DOCUMENT_|QUERY_|GATEWAY_|PHP_)/', $name) === 1;
$line = json_encode([
    'post' => $_POST,
    'params' => array_filter($_SERVER, $isParam, ARRAY_FILTER_USE_KEY),
    'length' => strlen($body),
    'sha256' => hash('sha256', $body),
    'started' => $started,
    'ended' => microtime(true),
], JSON_THROW_ON_ERROR) . "\n";

$file = getenv('WORKER_LOG') . '.' . $_SERVER['AMQP_QUEUE'];
// The lock keeps long lines of children that write at once apart.
if (file_put_contents($file, $line, FILE_APPEND | LOCK_EX) !== strlen($line)) {
    http_response_code(500);
    exit("Cannot write to {$file}.\n");
}
http_response_code((int) ($_POST['status'] ?? 200));
