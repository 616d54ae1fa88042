<?php

declare(strict_types=1);

// The worker of the verification rounds and of the latency section. The first thing it does is to look at the clock
// that all processes of the machine share; then it leaves a line: number, clock when published and now, in nanoseconds.
$started = hrtime(true);

$line = "{$_POST['number']} " . ($_POST['published'] ?? 0) . " {$started}\n";
file_put_contents((string) getenv('RECORDS'), $line, FILE_APPEND);
echo 'done';
