<?php

declare(strict_types=1);

/*
 * Executes the messages of Symfony Messenger's AMQP transport in php-fpm: copy this file to bin/messenger.php of the
 * application, and see docs/symfony.md for the rest.
 */

use App\Kernel;
use FpmBridge\Worker\Symfony\KernelMessenger;
use FpmBridge\Worker\Worker;
use Symfony\Component\Dotenv\Dotenv;

require dirname(__DIR__) . '/vendor/autoload.php';

Worker::boot(static function (): callable {
    // ---- THE APPLICATION: where its bus and its serializer come from. ------------------------------------------
    // Without the framework, this is return new Messenger($bus, $serializer, 'async'), and nothing else.
    $env = dirname(__DIR__) . '/.env';
    if (is_file($env) || is_file("{$env}.local.php")) {
        (new Dotenv())->bootEnv($env);
    }
    $kernel = new Kernel($_SERVER['APP_ENV'] ?? 'prod', (bool) ($_SERVER['APP_DEBUG'] ?? false));
    // With --messages-per-request above 1: true gives each message a container of its own.
    return new KernelMessenger($kernel, freshContainer: false);
    // ------------------------------------------------------------------------------------------------------------
});
