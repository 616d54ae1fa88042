<?php

declare(strict_types=1);

// once.php BODY: a process for each message. The same work as worker.php, or, with RECORDS, as recording-worker.php.

$number = json_decode($argv[1], true)['number'] ?? throw new LogicException('no number');
$records = getenv('RECORDS');
if ($records !== false) {
    file_put_contents($records, "{$number} 0 " . hrtime(true) . "\n", FILE_APPEND);
}
