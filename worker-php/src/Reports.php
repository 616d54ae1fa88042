<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use Throwable;

/**
 * What a stream's worker tells the daemon: each message's answer when there is one, and which message it was when something
 * ends the script in the middle.
 *
 * @internal
 */
final class Reports
{
    /** Bytes that are let go when the script dies: a shutdown function needs some where memory has run out. */
    private const RESERVE = 65_536;

    private Phase $phase = Phase::Booting;
    private ?string $reserve;
    /** Of the message at hand, or the last one. */
    private int $sequence = 0;
    /** Of the message at hand, which has no answer yet. */
    private ?Execution $execution = null;
    /** When the last frame was about to be written: nanoseconds, of hrtime(). */
    private int $wroteAt = 0;
    /** Whether the last answer came so late that what was sent ahead is executed elsewhere. */
    private bool $isLate = false;

    /** @param int $lease nanoseconds */
    public function __construct(
        private readonly Stream $stream,
        private readonly PutOff $putOff,
        private readonly int $lease,
    ) {
        $this->reserve = str_repeat("\0", self::RESERVE);
        // Before the application's own, which may need all memory that is left.
        register_shutdown_function($this->shutDown(...));
    }

    /** @return bool false when the daemon is gone, here and below: nothing more may be executed */
    public function hello(): bool
    {
        $this->wroteAt = hrtime(true);
        return $this->write($this->stream->frame('H', 0));
    }

    /** From here on until its answer, this message is to blame for what happens. */
    public function begin(int $sequence, Execution $execution): void
    {
        $this->sequence = $sequence;
        $this->execution = $execution;
        $this->phase = Phase::Executing;
    }

    /** The second look at the clock comes after the write: see docs/protocol.md, "What was sent ahead". */
    public function answer(string $head, string $body): bool
    {
        return $this->conclude($this->stream->frame('A', $this->sequence, $head, $body), $body);
    }

    /** The message at hand gets its answer later. */
    public function putOff(?string $subject): bool
    {
        if ($this->execution !== null) {
            $this->putOff->add($this->sequence, $this->execution, $subject);
        }
        return $this->conclude($this->stream->frame('C', $this->sequence));
    }

    /** The answers to what was put off, which else go with the next frame. */
    public function flush(): bool
    {
        $this->wroteAt = hrtime(true);
        return $this->write('');
    }

    /** What is no frame is skipped there: whether somebody is. */
    public function isHeard(): bool
    {
        return $this->write("\n");
    }

    private function conclude(string $frame, string $rest = ''): bool
    {
        $deadline = $this->wroteAt + $this->lease;
        $this->wroteAt = hrtime(true);
        if (!$this->write($frame, $rest)) {
            return false;
        }
        $this->execution = null;
        $now = hrtime(true);
        $this->isLate = $now > $deadline;
        if (!$this->isLate) {
            return true;
        }
        $this->wroteAt = $now;
        return $this->write($this->stream->frame('Q', $this->sequence));
    }

    /** The number of the message at hand, or the last one. */
    public function sequence(): int
    {
        return $this->sequence;
    }

    /** Whether it has asked: what comes now is not to be executed, until the daemon has said so. */
    public function isLate(): bool
    {
        return $this->isLate;
    }

    /** The last word. */
    public function end(string $reason): void
    {
        if ($this->write($this->stream->frame('E', $this->sequence, $reason))) {
            $this->phase = Phase::Over;
        }
    }

    /** No more comes from the daemon, or nothing more can be said to it: there is nothing to say. */
    public function close(): void
    {
        if ($this->phase !== Phase::Writing) {
            $this->phase = Phase::Over;
        }
    }

    /** Where ignore_user_abort is off, PHP ends the script within, when the daemon is gone. */
    private function write(string $frame, string $rest = ''): bool
    {
        $this->phase = Phase::Writing;
        if (!Output::endAll()) {
            Log::write('fpm-bridge: an output buffer was opened that cannot be ended: nothing can be said any more');
            $this->phase = Phase::Over;
            fastcgi_finish_request();
            return false;
        }
        $isWritten = $this->stream->write($this->putOff->takeFrames() . $frame, $rest);
        if ($isWritten) {
            $this->phase = Phase::Between;
        }
        return $isWritten;
    }

    /** The script has ended: in order, or by an exit, a fatal error, the end of memory or of time. */
    private function shutDown(): void
    {
        $this->reserve = null;
        if ($this->phase === Phase::Booting) {
            Log::write('fpm-bridge: not executed: the script has ended while it booted: ' . self::ending());
        } elseif ($this->phase === Phase::Writing) {
            $this->logEndedRequest();
        } elseif ($this->phase === Phase::Executing && $this->execution !== null) {
            $this->answerFor($this->execution);
        } elseif ($this->phase === Phase::Between) {
            $this->end(self::ending());
        }
        array_map(self::abandon(...), $this->putOff->executions());
    }

    private function answerFor(Execution $execution): void
    {
        $isHeard = connection_aborted() === 0;
        if ($isHeard) {
            ExecutionLog::ended($execution);
        }
        self::abandon($execution);
        $frame = $this->stream->frame('A', $this->sequence, Answer::failed('')->head(Subject::take()));
        if ($isHeard && $this->write($frame)) {
            $this->end(self::ending());
        }
    }

    private static function abandon(Execution $execution): void
    {
        try {
            $execution->abandon();
        } catch (Throwable $error) {
            ExecutionLog::write($execution, Execution::describe($error));
        }
    }

    /** Why the script ends here. */
    private static function ending(): string
    {
        $error = ExecutionLog::fatalError();
        return $error === null ? 'exit' : (string) strtok($error, "\n");
    }

    /** A daemon that is gone knows why. Else it is the handler's doing: then the request has ended before. */
    private function logEndedRequest(): void
    {
        if ($this->execution !== null && !fastcgi_finish_request()) {
            ExecutionLog::write(
                $this->execution,
                'its answer is lost: fastcgi_finish_request() has ended the request, and all messages of it',
            );
        }
    }
}
