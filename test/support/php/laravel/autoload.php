<?php

declare(strict_types=1);

/* The vendor/autoload.php of the test's application: the distribution's packages in place of composer's. */

foreach (['Bus', 'Cache', 'Config', 'Encryption', 'Events', 'Queue'] as $component) {
    require_once "Illuminate/{$component}/autoload.php";
}
require_once 'PhpAmqpLib/autoload.php';
require_once dirname(__DIR__, 4) . '/worker-php/autoload.php';

spl_autoload_register(static function (string $class): void {
    if ($class === 'Illuminate\\Foundation\\Bus\\Dispatchable') {
        // A part of Laravel 13 that its own illuminate/bus names, and that is no package. Here nothing uses it.
        eval('namespace Illuminate\\Foundation\\Bus; trait Dispatchable {}');
    } elseif (str_starts_with($class, 'App\\')) {
        require __DIR__ . '/' . substr($class, strlen('App\\')) . '.php';
    }
});

/** Of Laravel's helpers, the one that illuminate/bus calls for the next job of a chain. */
function dispatch(object $job): mixed
{
    return Illuminate\Container\Container::getInstance()->make(Illuminate\Contracts\Bus\Dispatcher::class)->dispatch($job);
}
