<?php

declare(strict_types=1);

// The trivial worker of every contestant: reads what it was sent, and answers. children.ts has it sleep.
$number = $_POST['number'] ?? throw new LogicException('no number');

$sleep = getenv('WORKER_SLEEP_MS');
if ($sleep !== false) {
    usleep((int) $sleep * 1000);
}
echo 'done';
