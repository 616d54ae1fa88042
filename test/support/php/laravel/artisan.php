<?php

declare(strict_types=1);

/*
 * The command line of the test's application. Prints JSON.
 *
 *   migrate              makes the table of failed jobs
 *   dispatch '[...]'     sends jobs to the queue: {"class", "name", "does", "set", "chain"}; prints how many were sent
 *   lock NAME            holds the lock of App\LoneStep for good, as if a job of that name were running
 *   failed               the failed jobs, oldest first
 *   retry                sends all failed jobs to their queue again, with the command of Laravel
 */

use Illuminate\Bus\UniqueLock;
use Illuminate\Contracts\Bus\Dispatcher;
use Illuminate\Contracts\Cache\Repository as Cache;
use Illuminate\Contracts\Queue\ShouldBeUnique;
use Illuminate\Queue\Console\RetryCommand;
use Symfony\Component\Console\Input\ArrayInput;
use Symfony\Component\Console\Output\NullOutput;

require __DIR__ . '/autoload.php';
$app = require __DIR__ . '/app.php';
$app->make(Illuminate\Contracts\Console\Kernel::class)->bootstrap();

$make = static function (array $spec) use (&$make): App\Step {
    $class = 'App\\' . ($spec['class'] ?? 'Step');
    $job = new $class($spec['name'], $spec['does'] ?? ['return']);
    foreach ($spec['set'] ?? [] as $property => $value) {
        $job->{$property} = $value;
    }
    return $job->chain(array_map($make, $spec['chain'] ?? []));
};

$result = match ($argv[1]) {
    'migrate' => $app->make('db')->connection()->statement(
        'create table failed_jobs (id integer primary key, uuid varchar unique, connection text, queue text, '
        . 'payload text, exception text, failed_at datetime)',
    ),
    'dispatch' => array_sum(array_map(static function (array $spec) use ($app, $make): int {
        $job = $make($spec);
        if ($job instanceof ShouldBeUnique && !(new UniqueLock($app->make(Cache::class)))->acquire($job)) {
            return 0;
        }
        $app->make(Dispatcher::class)->dispatch($job);
        return 1;
    }, json_decode($argv[2], true, 512, JSON_THROW_ON_ERROR))),
    'lock' => $app->make(Cache::class)->lock(App\LoneStep::overlapping($argv[2])->getLockKey(
        new App\LoneStep($argv[2]),
    ))->get(),
    'failed' => array_reverse($app->make('queue.failer')->all()),
    'retry' => (static function () use ($app): int {
        $command = new RetryCommand();
        $command->setLaravel($app);
        return $command->run(new ArrayInput(['id' => ['all']]), new NullOutput());
    })(),
};
echo json_encode($result, JSON_THROW_ON_ERROR);
