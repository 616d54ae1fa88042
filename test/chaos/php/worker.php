<?php

declare(strict_types=1);

/*
 * Does what the message asks for, and keeps the journal: one line when an execution starts, one when it ends, each
 * in a single write to a file opened for appending, so that children that write at once never mix their lines.
 */

// A script that outputs is ended when its daemon goes; an execution that was acked would be gone without a trace.
ignore_user_abort(true);

$attempt = (int) ($_SERVER['AMQP_ATTEMPT'] ?? 1);
$journal = fopen((string) getenv('CHAOS_JOURNAL'), 'a');

$note = static function (string $event) use ($journal, $attempt): void {
    $line = implode(' ', [
        $event,
        $_POST['id'],
        $_SERVER['AMQP_EXECUTION_ID'],
        $_SERVER['AMQP_DAEMON_ID'],
        getmypid(),
        $attempt,
        sprintf('%.3F', microtime(true) * 1000),
    ]) . "\n";
    if (fwrite($journal, $line) !== strlen($line)) {
        http_response_code(500);
        exit("Cannot write to the journal.\n");
    }
};

// usleep() ends when a signal comes, as at a reload; a real execution goes on.
$sleep = static function (int $milliseconds): void {
    for ($end = microtime(true) + $milliseconds / 1000; ($left = $end - microtime(true)) > 0; ) {
        usleep((int) ceil($left * 1e6));
    }
};

$note('start');
// What an application loads before it looks at the message; it may be missing, or choke on this one.
require __DIR__ . '/application.php';

$failed = $attempt <= (int) ($_POST['failures'] ?? 0);
$refused = !empty($_POST['refused']);
header('X-Bridge-Outcome: ' . ($refused ? 'dead-letter' : ($failed ? 'retry' : 'ack')));
if (!empty($_POST['output'])) {
    echo 'begun';
    flush();
}
if ($attempt <= (int) ($_POST['deaths'] ?? 0)) {
    exec('kill -9 ' . getmypid());
    sleep(5);
}
if ($attempt === 1 && !empty($_POST['hangs'])) {
    sleep(60);
}
$sleep((int) ($_POST['ms'] ?? 0));

$note($failed || $refused ? 'failed' : 'done');
$sleep((int) ($_POST['lingers'] ?? 0));
if (!headers_sent() && ($failed || $refused)) {
    http_response_code($refused ? 422 : 503);
}
