<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use Closure;
use Throwable;

/**
 * One message, one handler, and the answer that follows: the policy, without a word to php-fpm.
 *
 * @internal
 */
final class Execution
{
    private ?Message $message = null;

    /** The message whose lock is ours. */
    private ?Message $locked = null;

    public function __construct(
        private readonly ?Lock $lock,
        private readonly int $busyDelay,
        private readonly bool $obeyDeadline,
    ) {
    }

    /**
     * @param callable(): Message      $read
     * @param callable(Message): mixed $handler
     */
    public function run(callable $read, callable $handler): Answer
    {
        try {
            $message = $this->message = $read();
            return $this->refusal($message) ?? $this->execute($message, $handler);
        } catch (Throwable $error) {
            return $this->failure($error);
        }
    }

    /**
     * The same for a handler that may put it off.
     *
     * @param callable(): Message  $read
     * @param Closure(Answer): void $later takes the answer, if there is none yet
     * @return ?Answer null: it was put off
     */
    public function collect(callable $read, Batching $handler, Closure $later): ?Answer
    {
        $answer = null;
        $isPutOff = false;
        try {
            $message = $this->message = $read();
            $answer = $this->refusal($message);
            if ($answer === null) {
                ExecutionLog::clock($this, $message);
                $handler->collect($message, function (?Throwable $error = null) use (&$answer, &$isPutOff, $later): void {
                    if ($answer === null) {
                        $answer = $this->finish($error);
                        $isPutOff && $later($answer);
                    }
                });
            }
        } catch (Throwable $error) {
            $answer = $this->failure($error);
        }
        $isPutOff = $answer === null;
        return $answer;
    }

    /** The handler will not return any more. Does nothing when it has. */
    public function abandon(): void
    {
        $message = $this->locked;
        $this->locked = null;
        if ($message !== null) {
            $this->lock?->release((string) $message->messageId);
        }
    }

    /** What the log calls it. */
    public function subject(): string
    {
        return $this->message === null ? 'request' : self::describeMessage($this->message);
    }

    /** @return ?Answer null when the message is ours to execute */
    private function refusal(Message $message): ?Answer
    {
        // The request has waited in php-fpm's backlog, the daemon has given up, and the message is on its way again.
        if ($this->obeyDeadline && $message->repeatable && $message->secondsLeft() === 0) {
            return Answer::late();
        }
        $message->requireWhole();
        if ($this->lock === null) {
            return null;
        }
        $id = $message->messageId ?? '';
        if ($id === '') {
            throw new Reject('it has no message id, by which the lock would know it: publish it with one');
        }
        $state = $this->lock->acquire($id, $message);
        if ($state->name === 'acquired') {
            $this->locked = $message;
            return null;
        }
        return $state->name === 'done'
            ? Answer::ack('not executed: it is done already')
            : Answer::retry($state->retryAfter ?? $this->busyDelay, 'not executed: it is being executed elsewhere');
    }

    /** @param callable(Message): mixed $handler */
    private function execute(Message $message, callable $handler): Answer
    {
        ExecutionLog::clock($this, $message);
        $handler($message);
        $this->releaseDone();
        return Answer::ack();
    }

    private function finish(?Throwable $error): Answer
    {
        try {
            if ($error !== null) {
                throw $error;
            }
            $this->releaseDone();
            return Answer::ack();
        } catch (Throwable $error) {
            return $this->failure($error);
        }
    }

    private function releaseDone(): void
    {
        if ($this->locked !== null) {
            $this->lock?->done((string) $this->locked->messageId);
            $this->locked = null;
        }
    }

    private function failure(Throwable $error): Answer
    {
        return $this->giveUp(self::answerTo($error));
    }

    /** @return Answer the one given, unless something more goes wrong */
    public function giveUp(Answer $answer): Answer
    {
        try {
            $this->abandon();
        } catch (Throwable $second) {
            return Answer::failed("{$answer->reason}; then " . self::describe($second));
        }
        return $answer;
    }

    private static function answerTo(Throwable $error): Answer
    {
        return match (true) {
            $error instanceof Hold => Answer::hold($error->seconds, $error->getMessage()),
            $error instanceof Retry => Answer::retry($error->seconds, $error->getMessage()),
            $error instanceof Reject => Answer::deadLetter($error->getMessage()),
            $error instanceof Forbidden => Answer::forbidden($error->getMessage()),
            default => Answer::failed(self::describe($error)),
        };
    }

    public static function describe(Throwable $error): string
    {
        $class = get_class($error);
        return "{$class}: {$error->getMessage()} in {$error->getFile()}:{$error->getLine()}";
    }

    private static function describeMessage(Message $message): string
    {
        $id = $message->messageId ?? 'without id';
        $attempt = "attempt {$message->attempt} of {$message->maxAttempts}";
        return "message {$id} (execution {$message->executionId}, {$attempt})";
    }
}
