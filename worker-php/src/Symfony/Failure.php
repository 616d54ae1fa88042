<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Symfony;

use FpmBridge\Worker\Hold;
use FpmBridge\Worker\Reject;
use FpmBridge\Worker\Retry;
use Symfony\Component\Messenger\Exception\HandlerFailedException;
use Symfony\Component\Messenger\Exception\RecoverableExceptionInterface;
use Symfony\Component\Messenger\Exception\UnrecoverableExceptionInterface;
use Throwable;

/**
 * What the bus threw, read as Messenger reads it: what counts is what the handlers threw.
 *
 * @internal
 */
final class Failure
{
    /** @var non-empty-list<Throwable> */
    private readonly array $causes;

    public function __construct(private readonly Throwable $error)
    {
        $this->causes = self::causesOf($error);
    }

    /** Whether all of it is; one recoverable cause outweighs the others. */
    public function isUnrecoverable(): bool
    {
        foreach ($this->causes as $cause) {
            $isFinal = $cause instanceof UnrecoverableExceptionInterface || $cause instanceof Reject;
            if (!$isFinal || $cause instanceof RecoverableExceptionInterface) {
                return false;
            }
        }
        return true;
    }

    /** One that says that nothing works now outweighs the others: they may have failed for the same reason. */
    public function isHold(): bool
    {
        return $this->hold() !== null;
    }

    /** What tells the Worker: hold, reject, not before this many seconds, or simply again. */
    public function verdict(): Throwable
    {
        $hold = $this->hold();
        if ($hold !== null) {
            return $hold;
        }
        if ($this->isUnrecoverable()) {
            return new Reject($this->reason(), 0, $this->error);
        }
        $delay = $this->retryDelay();
        if ($delay !== null) {
            return new Retry((int) ceil($delay / 1_000), $this->reason(), $this->error);
        }
        return $this->blamed();
    }

    public function reason(): string
    {
        return self::describe($this->blamed());
    }

    public static function describe(Throwable $error): string
    {
        $class = get_class($error);
        return "{$class}: {$error->getMessage()} in {$error->getFile()}:{$error->getLine()}";
    }

    private function hold(): ?Hold
    {
        foreach ($this->causes as $cause) {
            if ($cause instanceof Hold) {
                return $cause;
            }
        }
        return null;
    }

    /** Of one handler's failure the log shows the place; that of several is told by the exception about all of them. */
    private function blamed(): Throwable
    {
        return count($this->causes) === 1 ? $this->causes[0] : $this->error;
    }

    /** @return ?int milliseconds, the longest that was asked for (Symfony 7.2 or later) */
    private function retryDelay(): ?int
    {
        $delays = [];
        foreach ($this->causes as $cause) {
            if ($cause instanceof RecoverableExceptionInterface && method_exists($cause, 'getRetryDelay')) {
                $delays[] = $cause->getRetryDelay();
            }
        }
        return $delays === [] ? null : max($delays);
    }

    /** @return non-empty-list<Throwable> */
    private static function causesOf(Throwable $error): array
    {
        if (!$error instanceof HandlerFailedException) {
            return [$error];
        }
        // The first name is that of Symfony 6.4 and later, the second that of all before 7.
        $causes = method_exists($error, 'getWrappedExceptions')
            ? $error->getWrappedExceptions()
            : $error->getNestedExceptions();
        return array_values($causes) ?: [$error];
    }
}
