<?php

declare(strict_types=1);

namespace App;

use Illuminate\Container\Container;
use Illuminate\Contracts\Queue\Job as JobContract;
use Illuminate\Queue\Jobs\Job;
use PhpAmqpLib\Message\AMQPMessage;

/** A message of AmqpQueue: acked when the job is done; released, another one takes its place, at once. */
final class AmqpJob extends Job implements JobContract
{
    public function __construct(
        Container $container,
        private readonly AmqpQueue $source,
        private readonly AMQPMessage $message,
        string $connectionName,
        string $queue,
    ) {
        $this->container = $container;
        $this->connectionName = $connectionName;
        $this->queue = $queue;
    }

    public function getJobId(): ?string
    {
        return $this->uuid();
    }

    public function getRawBody(): string
    {
        return $this->message->getBody();
    }

    public function attempts(): int
    {
        return $this->message->get('application_headers')->getNativeData()['laravel']['attempts'] + 1;
    }

    public function delete(): void
    {
        parent::delete();
        $this->message->ack();
    }

    public function release($delay = 0): void
    {
        parent::release($delay);
        $this->source->pushRaw($this->getRawBody(), $this->queue, ['attempts' => $this->attempts()]);
        $this->message->ack();
    }
}
