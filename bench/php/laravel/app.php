<?php

declare(strict_types=1);

/* The bootstrap/app.php of the bench's application: that of the tests, without what they note of each job. */

use Illuminate\Contracts\Console\Kernel;

$app = require dirname(__DIR__, 3) . '/test/support/php/laravel/application.php';
$app->instance(Kernel::class, new class () {
    public function bootstrap(): void
    {
        date_default_timezone_set('UTC');
    }
});

return $app;
