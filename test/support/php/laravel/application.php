<?php

declare(strict_types=1);

/*
 * No more of Laravel than a queue needs, and that real. Its folder is APP_FOLDER; its queue connection is QUEUE of the broker
 * BROKER_URL. The console's kernel, which boots it, is not here.
 */

use App\AmqpConnector;
use App\Log;
use App\NotingExceptionHandler;
use Illuminate\Bus\BusServiceProvider;
use Illuminate\Cache\CacheServiceProvider;
use Illuminate\Config\Repository;
use Illuminate\Container\Container;
use Illuminate\Contracts\Cache\Repository as Cache;
use Illuminate\Contracts\Container\Container as ContainerContract;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Encryption\Encrypter;
use Illuminate\Contracts\Events\Dispatcher;
use Illuminate\Contracts\Queue\Factory;
use Illuminate\Database\DatabaseServiceProvider;
use Illuminate\Encryption\EncryptionServiceProvider;
use Illuminate\Events\EventServiceProvider;
use Illuminate\Filesystem\Filesystem;
use Illuminate\Queue\QueueServiceProvider;
use Illuminate\Support\Facades\Facade;

$folder = (string) getenv('APP_FOLDER');
$app = new class () extends Container {
    /** Laravel's Application has it, and the commands of Laravel 10 ask for it. */
    public function runningUnitTests(): bool
    {
        return false;
    }

    /** The worker asks before each job, and Laravel's Application looks for a file then. */
    public function isDownForMaintenance(): bool
    {
        return file_exists(getenv('APP_FOLDER') . '/down');
    }
};
Container::setInstance($app);
$app->instance(ContainerContract::class, $app);
Facade::setFacadeApplication($app);

$app->instance('config', new Repository([
    'app' => ['key' => str_repeat('k', 32), 'cipher' => 'AES-256-CBC'],
    'cache' => ['default' => 'file', 'stores' => ['file' => ['driver' => 'file', 'path' => "{$folder}/cache"]]],
    'database' => [
        'default' => 'sqlite',
        'connections' => ['sqlite' => ['driver' => 'sqlite', 'database' => "{$folder}/failed.sqlite", 'prefix' => '']],
    ],
    'queue' => [
        'default' => 'rabbitmq',
        'connections' => [
            'rabbitmq' => ['driver' => 'rabbitmq', 'url' => getenv('BROKER_URL'), 'queue' => getenv('QUEUE')],
        ],
        'failed' => [
            'driver' => getenv('FAILED_DRIVER') ?: 'database-uuids',
            'database' => 'sqlite',
            'table' => getenv('FAILED_TABLE') ?: 'failed_jobs',
        ],
    ],
]));
$app->instance('files', new Filesystem());
$app->alias('events', Dispatcher::class);
$app->alias('queue', Factory::class);
$app->alias('encrypter', Encrypter::class);
$app->alias('cache.store', Cache::class);
foreach (
    [
        EventServiceProvider::class,
        BusServiceProvider::class,
        CacheServiceProvider::class,
        DatabaseServiceProvider::class,
        EncryptionServiceProvider::class,
        QueueServiceProvider::class,
    ] as $provider
) {
    (new $provider($app))->register();
}

$app->make('queue')->extend('rabbitmq', static fn () => new AmqpConnector());
$app->instance('log', new Log());
$app->instance(ExceptionHandler::class, new NotingExceptionHandler());

return $app;
