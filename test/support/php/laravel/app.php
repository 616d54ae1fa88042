<?php

declare(strict_types=1);

/*
 * The bootstrap/app.php of the test's application: no more of Laravel than a queue needs, and that real. Its folder is
 * APP_FOLDER; its queue connection publishes to QUEUE of the broker BROKER_URL.
 */

use App\AmqpConnector;
use App\Counter;
use App\Log;
use App\Notes;
use App\NotingExceptionHandler;
use Illuminate\Bus\BusServiceProvider;
use Illuminate\Cache\CacheServiceProvider;
use Illuminate\Config\Repository;
use Illuminate\Container\Container;
use Illuminate\Contracts\Cache\Repository as Cache;
use Illuminate\Contracts\Console\Kernel;
use Illuminate\Contracts\Container\Container as ContainerContract;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Contracts\Encryption\Encrypter;
use Illuminate\Contracts\Events\Dispatcher;
use Illuminate\Contracts\Queue\Factory;
use Illuminate\Database\DatabaseServiceProvider;
use Illuminate\Encryption\EncryptionServiceProvider;
use Illuminate\Events\EventServiceProvider;
use Illuminate\Filesystem\Filesystem;
use Illuminate\Queue\Events\JobExceptionOccurred;
use Illuminate\Queue\Events\JobFailed;
use Illuminate\Queue\Events\JobProcessed;
use Illuminate\Queue\Events\JobProcessing;
use Illuminate\Queue\QueueServiceProvider;
use Illuminate\Support\Facades\Facade;

$folder = (string) getenv('APP_FOLDER');
$app = new class () extends Container {
    /** Laravel's Application has it, and the commands of Laravel 10 ask for it. */
    public function runningUnitTests(): bool
    {
        return false;
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

$app->instance('log', new Log());
$app->scoped('counter.scoped', static fn () => new Counter());
$app->singleton('counter.single', static fn () => new Counter());
$app->instance(ExceptionHandler::class, new NotingExceptionHandler());
$app->instance(Kernel::class, new class ($app) {
    public function __construct(private readonly Container $app)
    {
    }

    public function bootstrap(): void
    {
        // As LoadConfiguration does.
        date_default_timezone_set('Europe/Vienna');
        // Laravel renders a page of its own for a fatal error, and finishes the answer with it.
        register_shutdown_function(static function (): void {
            if (in_array(error_get_last()['type'] ?? 0, [E_ERROR, E_COMPILE_ERROR], true)) {
                header_remove();
                http_response_code(200);
                echo '<!DOCTYPE html>';
                fastcgi_finish_request();
            }
        });
        $this->app->make('queue')->extend('rabbitmq', static fn () => new AmqpConnector());
        $events = [JobProcessing::class, JobProcessed::class, JobExceptionOccurred::class, JobFailed::class];
        foreach ($events as $event) {
            $this->app->make('events')->listen($event, static fn (object $it) => Notes::add(class_basename($it)));
        }
    }
});

return $app;
