<?php

declare(strict_types=1);

/* Notes in the file NOTES that the request ID was begun, and takes its time. */

file_put_contents($_SERVER['NOTES'], $_SERVER['ID'] . "\n", FILE_APPEND | LOCK_EX);
if (isset($_SERVER['DIE'])) {
    exec('kill -9 ' . getmypid());
}
usleep(random_int(0, 4_000));
echo 'done';
