<?php

declare(strict_types=1);

/*
 * Has php-fpm execute the queue of a Laravel application, with fpm-bridge. Copy it into the root of
 * the application, beside `artisan`, and start the daemon with
 *
 *     --script /path/to/application/queue.php --ack completed --payload raw --require-marker
 *
 * docs/laravel.md of fpm-bridge has the rest.
 */

use FpmBridge\Worker\Laravel\QueueWorker;
use FpmBridge\Worker\Worker;

// Notices of the classes that are loaded here must not begin the answer, which a pool with display_errors would let them.
ob_start();
require __DIR__ . '/vendor/autoload.php';
ob_end_clean();

Worker::boot(static function (): callable {
    // ---- The application, and what its jobs get that do not say otherwise: change this to yours -----------------------
    $app = require __DIR__ . '/bootstrap/app.php';
    $app->make(Illuminate\Contracts\Console\Kernel::class)->bootstrap();
    return new QueueWorker($app, connection: null, tries: 1, backoff: 0, timeout: 60);
    // -------------------------------------------------------------------------------------------------------------------
});
