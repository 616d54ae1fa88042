<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * What the log says of an execution.
 *
 * @internal
 */
final class ExecutionLog
{
    private const FATAL = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;

    /** Seconds by which clocks may differ without a word. */
    private const CLOCK_TOLERANCE = 5;

    /** @param ?string $printed null when it was more than the limit */
    public static function answer(Execution $execution, Answer $answer, ?string $printed, int $outputLimit): void
    {
        if ($answer->reason !== '') {
            self::write($execution, $answer->reason);
        }
        if ($printed === null) {
            self::write($execution, "it printed more than {$outputLimit} bytes, of which nothing is sent");
        }
    }

    public static function clock(Execution $execution, Message $message): void
    {
        $behind = $message->secondsBehind();
        if ($behind > self::CLOCK_TOLERANCE) {
            self::write(
                $execution,
                "the clock of this host is {$behind} s behind the daemon's: what comes too late is executed beside its "
                . 'own repetition. Set the clocks of both hosts (NTP)',
            );
        }
    }

    /** The handler will not return any more. Of an exit nobody else says a word; a fatal error PHP has logged. */
    public static function ended(Execution $execution): void
    {
        if (self::fatalError() === null) {
            self::write($execution, 'the handler has called exit instead of returning');
        }
    }

    /** What PHP says of the error that has ended the script; null when none has. */
    public static function fatalError(): ?string
    {
        $last = error_get_last();
        return $last !== null && ($last['type'] & self::FATAL) !== 0 ? $last['message'] : null;
    }

    public static function write(Execution $execution, string $text): void
    {
        Log::write("fpm-bridge: {$execution->subject()}: {$text}");
    }
}
