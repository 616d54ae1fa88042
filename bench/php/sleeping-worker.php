<?php

declare(strict_types=1);

// The worker of the children section: sleeps, as if it waited for a database, and leaves the CPU to others. A sleep takes
// longer than it was asked for; one execution in sixteen writes down how many microseconds it took by its own clock.
$started = hrtime(true);

usleep((int) getenv('SLEEP_MS') * 1000);
echo 'done';

$took = intdiv(hrtime(true) - $started, 1000);
if (random_int(1, 16) === 1) {
    file_put_contents((string) getenv('RECORDS'), "{$took}\n", FILE_APPEND);
}
