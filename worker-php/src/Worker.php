<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use Closure;
use InvalidArgumentException;

/**
 * Executes the message of this request, or one after the other those of a stream, and answers what became of it:
 *
 *     Worker::run(function (Message $message): void {
 *         sendInvoice($message->payload()['invoice']);
 *     });
 *
 * | the handler                             | status | X-Bridge-Outcome | what the daemon does (--ack completed)      |
 * |-----------------------------------------|--------|------------------|---------------------------------------------|
 * | returns                                 | 200    | ack              | acks the message                            |
 * | throws Retry                            | 503    | retry            | repeats it, not before the seconds it names |
 * | throws Hold                             | 503    | hold             | keeps it and all others for a while         |
 * | throws Reject, or cannot read it        | 422    | dead-letter      | moves it to the dead-letter queue           |
 * | throws anything else                    | 500    | retry            | repeats it                                  |
 * | exits, dies of a fatal error            | 500    | retry            | repeats it                                  |
 * | is not run: the deadline has passed     | 503    | retry            | does not hear it any more                   |
 * | is not run: its body is not whole       | 503    | retry            | repeats it                                  |
 * | is not run: executed elsewhere (lock)   | 503    | retry            | repeats it                                  |
 * | is not run: done already (lock)         | 200    | ack              | acks it                                     |
 * | is not run: not a request of fpm-bridge | 403    |                  |                                             |
 * | is not run: asked by fpm-bridge check   | 200    |                  | (what PHP it runs in; there is no message)  |
 *
 * What is not success is one line in the error log, which reaches the daemon with the answer. When the answer has begun
 * before, with something printed, the handler is not run; PHP has sent 200 then, so a line says "PHP Fatal error" for the
 * daemon, and the script dies.
 */
final class Worker
{
    private readonly ?Closure $reset;

    /**
     * @param ?Lock $lock         keeps a message from being executed twice; messages without an id are then rejected
     * @param int   $busyDelay    seconds until the next attempt at a message that is being executed elsewhere, where the
     *                            lock does not know better. Each such attempt counts: --max-attempts times this should
     *                            be longer than a handler may run
     * @param int   $outputLimit  bytes; what the handler prints becomes the body of the answer, and when it is more,
     *                            nothing of it does. The daemon's --max-response cuts it, too
     * @param bool  $obeyDeadline false: execute also what the daemon no longer waits for and repeats elsewhere. With --ack
     *                            dispatched nobody repeats it, and no deadline is obeyed
     * @param ?callable(): mixed $reset with many messages in one request, called after the answer to each. What it
     *                            throws ends the request
     * @param ?int  $memoryLimit  bytes; with many messages in one request, it ends after the message that leaves more than
     *                            this in use. Null: half of PHP's memory_limit, where that is limited
     * @throws InvalidArgumentException
     */
    public function __construct(
        private readonly ?Lock $lock = null,
        private readonly int $busyDelay = 60,
        private readonly int $outputLimit = 1_048_576,
        private readonly bool $obeyDeadline = true,
        ?callable $reset = null,
        private readonly ?int $memoryLimit = null,
    ) {
        $numbers = ['busyDelay' => $busyDelay, 'outputLimit' => $outputLimit, 'memoryLimit' => $memoryLimit ?? 0];
        foreach ($numbers as $name => $value) {
            if ($value < 0) {
                throw new InvalidArgumentException("{$name} is 0 or more, not {$value}.");
            }
        }
        $this->reset = $reset === null ? null : $reset(...);
    }

    /**
     * With everything as it is by default.
     *
     * @param callable(Message): mixed $handler what it returns does not matter
     * @throws \LogicException when something was printed before
     */
    public static function run(callable $handler, ?Lock $lock = null): void
    {
        (new self($lock))->execute($handler);
    }

    /**
     * The same for a handler that takes an application to be booted:
     *
     *     Worker::boot(function (): callable {
     *         $application = new Application();
     *         return $application->handle(...);
     *     });
     *
     * @param callable(): callable $boot see bootAndExecute()
     * @throws \LogicException when something was printed before
     */
    public static function boot(callable $boot, ?Lock $lock = null): void
    {
        (new self($lock))->bootAndExecute($boot);
    }

    /**
     * Call it last: when it returns, the answer is decided. Never throws what the handler throws.
     *
     * @param callable(Message): mixed $handler what it returns does not matter
     * @throws \LogicException when something was printed before
     */
    public function execute(callable $handler): void
    {
        $this->bootAndExecute(static fn (): callable => $handler);
    }

    /**
     * Makes the handler once for all messages of the request. With one message, that is a part of its execution: when it fails,
     * that message has failed. With many, it comes before the first one: when it fails, none has been executed, and the
     * daemon holds. What it sets (timezone, error handler) is what each message finds.
     *
     * @param callable(): callable $boot gives the handler; one that is Resettable is reset between messages
     * @throws \LogicException when something was printed before
     */
    public function bootAndExecute(callable $boot): void
    {
        if (isset($_SERVER[Probe::PARAM])) {
            Probe::answer((string) $_SERVER[Probe::PARAM]);
        } elseif (isset($_SERVER[StreamRequest::VERSION])) {
            $this->executeMany($boot(...));
        } else {
            $this->executeOne($boot(...));
        }
    }

    /** @param Closure(): callable $boot */
    private function executeOne(Closure $boot): void
    {
        $response = Response::begin();
        $execution = new Execution($this->lock, $this->busyDelay, $this->obeyDeadline);
        $output = new Output($this->outputLimit);
        $returned = false;
        register_shutdown_function(static function () use (&$returned, $execution): void {
            if (!$returned) {
                ExecutionLog::ended($execution);
                $execution->abandon();
            }
        });

        $output->start();
        $answer = $execution->run(
            Message::fromGlobals(...),
            static fn (Message $message): mixed => $boot()($message),
        );
        $returned = true;
        $sentBy = $response->become($answer);
        $printed = $output->end();
        ExecutionLog::answer($execution, $answer, $printed, $this->outputLimit);
        if ($sentBy === null) {
            echo $answer->marker === 'ack' ? $printed : $answer->body;
            return;
        }
        if ($answer->marker === 'ack') {
            ExecutionLog::write(
                $execution,
                "it succeeded, and cannot say so: {$sentBy} sent the headers before the handler returned, so it will be "
                . 'executed again',
            );
        }
        Output::drop();
    }

    /** @param Closure(): callable $boot */
    private function executeMany(Closure $boot): void
    {
        $request = StreamRequest::begin();
        if ($request !== null) {
            $execution = new Execution($this->lock, $this->busyDelay, $this->obeyDeadline);
            $loop = new Loop($request, $execution, $this->outputLimit, $this->reset, $this->memoryLimit);
            $loop->serve($boot);
        }
    }
}
