<?php

declare(strict_types=1);

/* The bootstrap/app.php of the test's application: what happens to its jobs is noted, and counters say how long things live. */

use App\Counter;
use App\Notes;
use Illuminate\Container\Container;
use Illuminate\Contracts\Console\Kernel;
use Illuminate\Queue\Events\JobExceptionOccurred;
use Illuminate\Queue\Events\JobFailed;
use Illuminate\Queue\Events\JobProcessed;
use Illuminate\Queue\Events\JobProcessing;

$app = require __DIR__ . '/application.php';
$app->scoped('counter.scoped', static fn () => new Counter());
$app->singleton('counter.single', static fn () => new Counter());
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
        $events = [JobProcessing::class, JobProcessed::class, JobExceptionOccurred::class, JobFailed::class];
        foreach ($events as $event) {
            $this->app->make('events')->listen($event, static fn (object $it) => Notes::add(class_basename($it)));
        }
    }
});

return $app;
