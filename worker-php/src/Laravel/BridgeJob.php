<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Laravel;

use FpmBridge\Worker\Hold;
use FpmBridge\Worker\Message;
use FpmBridge\Worker\Reject;
use Illuminate\Contracts\Container\Container;
use Illuminate\Contracts\Queue\Job as JobContract;
use Illuminate\Queue\Failed\NullFailedJobProvider;
use Illuminate\Queue\Jobs\Job;
use Illuminate\Queue\ManuallyFailedException;
use JsonException;
use Throwable;

/**
 * A message as a job of illuminate/queue. There is no queue behind it: that it was deleted or released is noted here, and
 * told to the daemon with the answer.
 *
 * @internal
 */
final class BridgeJob extends Job implements JobContract
{
    /** @var array<string, mixed> */
    private readonly array $decoded;

    /** Seconds. */
    private int $delay = 0;

    private ?Hold $hold = null;

    /** What failed, and why the application has no record of it. */
    private ?string $unrecorded = null;

    /** @throws Reject when the body is not what a queue of Laravel publishes */
    public function __construct(Container $container, private readonly Message $message, string $connectionName)
    {
        $this->container = $container;
        $this->connectionName = $connectionName;
        $this->queue = $message->queue;
        $this->decoded = self::decode($this->getRawBody());
    }

    /** laravel-queue-rabbitmq gives each payload an id; other queues do not. */
    public function getJobId(): string
    {
        return (string) ($this->decoded['id'] ?? $this->uuid() ?? $this->message->messageId);
    }

    public function getRawBody(): string
    {
        return $this->message->body();
    }

    /** @return array<string, mixed> */
    public function payload(): array
    {
        return $this->decoded;
    }

    /** The daemon's count, on top of what a worker of laravel-queue-rabbitmq has noted before the daemon took over. */
    public function attempts(): int
    {
        $before = $this->message->headers['laravel']['attempts'] ?? 0;
        return (is_int($before) ? max(0, $before) : 0) + $this->message->attempt;
    }

    /**
     * A Hold is no failure of this job: for Laravel it is released, and uses up neither tries nor maxExceptions. A job that
     * has decided its own fate before has decided.
     */
    public function fire(): void
    {
        try {
            parent::fire();
        } catch (Hold $hold) {
            if ($this->isDeletedOrReleased()) {
                throw $hold;
            }
            $this->hold = $hold;
            $this->release($hold->seconds ?? 0);
        }
    }

    /** @return ?Hold what the job has thrown */
    public function hold(): ?Hold
    {
        return $this->hold;
    }

    /** @param \DateTimeInterface|\DateInterval|int $delay */
    public function release($delay = 0): void
    {
        parent::release($delay);
        $this->delay = max(0, (int) $this->secondsUntil($delay));
    }

    /** Seconds for which it was released. */
    public function delay(): int
    {
        return $this->delay;
    }

    /**
     * Also keeps the failure where `artisan queue:failed` shows it. With Laravel, the command queue:work does that.
     *
     * @param ?Throwable $e
     */
    public function fail($e = null): void
    {
        $isOurs = !$this->isDeleted();
        try {
            parent::fail($e);
        } finally {
            if ($isOurs) {
                $this->record($e ?? new ManuallyFailedException());
            }
        }
    }

    /** @return ?string null when it has not failed, or the application keeps the failure; else what there is to know */
    public function unrecorded(): ?string
    {
        return $this->unrecorded;
    }

    private function record(Throwable $cause): void
    {
        $failed = "{$this->resolveName()} has failed with " . get_class($cause) . ": {$cause->getMessage()}, and";
        try {
            $failer = $this->container->make('queue.failer');
            if ($failer instanceof NullFailedJobProvider) {
                $this->unrecorded = "{$failed} the application keeps no failed jobs (queue.failed of its configuration)";
                return;
            }
            $failer->log($this->connectionName, $this->queue, $this->getRawBody(), $cause);
        } catch (Throwable $error) {
            // What a database says is the previous one; a QueryException repeats the whole payload.
            $why = ($error->getPrevious() ?? $error)->getMessage();
            $this->unrecorded = "{$failed} the application could not keep it as a failed job: {$why}";
        }
    }

    /** @return array<string, mixed> */
    private static function decode(string $body): array
    {
        try {
            $payload = json_decode($body, true, 512, JSON_THROW_ON_ERROR);
        } catch (JsonException $error) {
            $hint = 'is the daemon run with --payload raw?';
            throw new Reject("the body is no JSON, so no job of Laravel: {$error->getMessage()}; {$hint}", 0, $error);
        }
        $job = is_array($payload) ? ($payload['job'] ?? null) : null;
        if (!is_string($job) || $job === '' || !array_key_exists('data', $payload)) {
            throw new Reject('the body is no job of Laravel: it needs the fields "job", a text, and "data"');
        }
        return $payload;
    }
}
