<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Laravel;

use FpmBridge\Worker\EndRequest;
use FpmBridge\Worker\Hold;
use FpmBridge\Worker\Log;
use FpmBridge\Worker\Message;
use FpmBridge\Worker\Reject;
use FpmBridge\Worker\Resettable;
use FpmBridge\Worker\Retry;
use FpmBridge\Worker\Subject;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Database\DetectsLostConnections;
use Illuminate\Queue\MaxAttemptsExceededException;
use Illuminate\Queue\WorkerOptions;
use InvalidArgumentException;
use Throwable;

/**
 * Does for one message what `artisan queue:work` does for one job: events, middleware, tries, backoff and failed jobs are
 * Laravel's own. For a handler of Worker, which turns the end into the answer:
 *
 * | the job                                         | the daemon                                             |
 * |-------------------------------------------------|--------------------------------------------------------|
 * | is done, or deletes itself                      | acks it                                                |
 * | is released, throws with tries left             | repeats it, not before the delay or backoff is over    |
 * | throws a Hold                                   | keeps it and all others; no try is used up             |
 * | has failed, and the application keeps it        | acks it: it is among the failed jobs, and nowhere else |
 * | has failed, and the application does not        | moves it to the dead-letter queue                      |
 * | is released or throws, at the daemon's last try | the same: then it has failed                           |
 * | is no job of Laravel                            | moves it to the dead-letter queue                      |
 *
 * With many messages in one request, it does between them what queue:work does between jobs.
 */
final class QueueWorker implements Resettable
{
    use DetectsLostConnections;

    private bool $hasLostConnection = false;

    /**
     * @param Container $app        the application, bootstrapped
     * @param ?string   $connection of config/queue.php, to which `artisan queue:retry` sends a failed job; null: the
     *                              default one
     * @param int       $tries      for jobs that do not say; 0: as many as the daemon makes. As queue:work --tries
     * @param int       $backoff    seconds, for jobs that do not say. As queue:work --backoff
     * @param int       $timeout    seconds of CPU time, for jobs that do not say; 0: none. More or less as queue:work
     *                              --timeout, which counts the seconds on the clock: that is for php-fpm to do, by its
     *                              request_terminate_timeout
     * @throws InvalidArgumentException
     */
    public function __construct(
        private readonly Container $app,
        private readonly ?string $connection = null,
        private readonly int $tries = 1,
        private readonly int $backoff = 0,
        private readonly int $timeout = 60,
    ) {
        foreach (['tries' => $tries, 'backoff' => $backoff, 'timeout' => $timeout] as $name => $value) {
            if ($value < 0) {
                throw new InvalidArgumentException("{$name} is 0 or more, not {$value}.");
            }
        }
    }

    /** As execute(). */
    public function __invoke(Message $message): void
    {
        $this->execute($message);
    }

    /**
     * @throws Hold   when it says that nothing works now
     * @throws Retry  when it is to be executed again
     * @throws Reject when it is no job, or has failed and the application keeps no record of it
     */
    public function execute(Message $message): void
    {
        $connection = $this->connection ?? $this->app->make('config')->get('queue.default');
        $job = new BridgeJob($this->app, $message, $connection);
        $name = $job->resolveName();
        Subject::set(is_string($name) ? $name : '');
        $this->shareLogContext($message);
        set_time_limit((int) ($job->timeout() ?? $this->timeout));

        $error = $this->process($job);
        if ($job->hold() !== null) {
            throw $job->hold();
        }
        // As in Laravel, a job that was neither deleted nor released is not done.
        if (!$job->hasFailed() && ($job->isReleased() || !$job->isDeleted())) {
            if (!$message->isLastAttempt()) {
                throw new Retry($job->delay(), self::reason($job, $error), $error);
            }
            $this->giveUp($job, $message, $error);
        }
        if ($job->unrecorded() !== null) {
            throw new Reject($job->unrecorded(), 0, $error);
        }
    }

    /**
     * Scoped instances, resolved facades and the context of the log go, and whatever else queue:work of this Laravel resets. Like
     * queue:work, it does not go on with a database connection that was lost.
     *
     * @throws EndRequest after that
     */
    public function reset(): void
    {
        if ($this->hasLostConnection) {
            throw new EndRequest('a job has lost its connection to a database');
        }
        // QueueServiceProvider gives it to the worker, whose loop, which is not used here, calls it.
        $worker = $this->app->make('queue.worker');
        $reset = (fn (): ?callable => $this->resetScope ?? null)->call($worker);
        if ($reset !== null) {
            $reset();
        }
    }

    /** Laravel's Context is none: the event of a job that begins empties it, and jobs that this one dispatches inherit it. */
    private function shareLogContext(Message $message): void
    {
        $log = $this->app->bound('log') ? $this->app->make('log') : null;
        $context = ['execution_id' => $message->executionId, 'message_id' => $message->messageId];
        if (is_object($log) && method_exists($log, 'shareContext')) {
            $log->shareContext($context);
        } elseif (is_callable([$log, 'withContext'])) {
            // Laravel 8: of the default channel only.
            $log->withContext($context);
        }
    }

    /** @return ?Throwable what came out of the job, and was seen to: it is released, or has failed */
    private function process(BridgeJob $job): ?Throwable
    {
        $options = new WorkerOptions();
        $options->maxTries = $this->tries;
        $options->backoff = $this->backoff;
        $options->timeout = $this->timeout;
        $worker = $this->app->make('queue.worker');
        // Where Laravel counts the exceptions of a job that has maxExceptions.
        $worker->setCache($this->app->make('cache.store'));
        try {
            $worker->process($job->getConnectionName(), $job, $options);
            return null;
        } catch (Throwable $error) {
            $this->report($error);
            $this->hasLostConnection = $this->hasLostConnection || $this->causedByLostConnection($error);
            return $error;
        }
    }

    /** The daemon would move it to the dead-letter queue without a word to the application. */
    private function giveUp(BridgeJob $job, Message $message, ?Throwable $error): void
    {
        $limit = "the daemon makes no more than {$message->maxAttempts} attempts (--max-attempts)";
        try {
            $job->fail($error ?? new MaxAttemptsExceededException(self::reason($job, null) . ", and {$limit}"));
        } catch (Throwable $second) {
            $this->report($second);
        }
    }

    /** A log that cannot be written changes nothing about what became of the job. */
    private function report(Throwable $error): void
    {
        try {
            $this->app->make(ExceptionHandler::class)->report($error);
        } catch (Throwable $second) {
            Log::write('fpm-bridge: ' . self::describe($error) . '; not reported: ' . self::describe($second));
        }
    }

    private static function reason(BridgeJob $job, ?Throwable $error): string
    {
        $why = match (true) {
            $error !== null => self::describe($error),
            $job->isReleased() => 'released',
            default => 'neither deleted nor released',
        };
        return "{$job->resolveName()} {$job->getJobId()}: {$why}";
    }

    private static function describe(Throwable $error): string
    {
        return get_class($error) . ": {$error->getMessage()}";
    }
}
