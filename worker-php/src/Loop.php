<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use Closure;
use RuntimeException;
use Throwable;
use UnexpectedValueException;

/**
 * The messages of a stream, one after the other: reads one, has it executed, and reads the next only when the answer is in
 * the socket.
 *
 * Whatever ends the script in the middle, the shutdown function still says which message it was.
 *
 * @internal
 */
final class Loop
{
    /** Bytes that are let go when the script dies: a shutdown function needs some where memory has run out. */
    private const RESERVE = 65_536;

    private readonly Stream $stream;
    private readonly TimeLimit $timeLimit;
    private readonly MemoryLimit $memory;
    private readonly Leftovers $leftovers;
    private ?string $reserve;
    private Phase $phase = Phase::Between;
    /** The message at hand, or the last one. */
    private int $sequence = 0;
    private ?Execution $execution = null;
    /** Whether the last answer came too late for what was sent ahead. */
    private bool $isLate = false;
    /** When the worker began to write the last frame: nanoseconds, of hrtime(). */
    private int $wroteAt = 0;

    /**
     * @param Closure(): Execution $newExecution
     * @param ?int                 $memoryLimit bytes; null: half of memory_limit
     */
    public function __construct(
        private readonly StreamRequest $request,
        private readonly Closure $newExecution,
        private readonly int $outputLimit,
        private readonly ?Closure $reset,
        ?int $memoryLimit,
    ) {
        $this->stream = $request->stream;
        $this->timeLimit = new TimeLimit();
        $this->memory = new MemoryLimit($memoryLimit);
        $this->leftovers = new Leftovers();
        $this->reserve = str_repeat("\0", self::RESERVE);
    }

    /** @param callable(Message): mixed $handler */
    public function serve(callable $handler): void
    {
        register_shutdown_function($this->shutDown(...));
        $this->wroteAt = hrtime(true);
        try {
            $goOn = $this->write($this->stream->frame('H', 0));
            while ($goOn) {
                $frame = $this->stream->next();
                $goOn = $frame !== null && $this->take($frame, $handler);
            }
        } catch (UnexpectedValueException $error) {
            Log::write("fpm-bridge: {$error->getMessage()}");
            $this->end("no more can be read: {$error->getMessage()}");
        }
        if ($this->phase === Phase::Between) {
            $this->phase = Phase::Over;
        }
    }

    /**
     * @param array{type: string, sequence: int, head: int, body: int} $frame
     * @param callable(Message): mixed                                 $handler
     * @return bool whether more may follow
     */
    private function take(array $frame, callable $handler): bool
    {
        if ($frame['type'] !== 'M' || $frame['sequence'] <= $this->sequence) {
            $what = "{$frame['type']} {$frame['sequence']}";
            throw new UnexpectedValueException("a frame {$what} has come after message {$this->sequence}");
        }
        $this->sequence = $frame['sequence'];
        $this->execution = ($this->newExecution)();
        $this->phase = Phase::Executing;
        $content = $this->stream->content($frame);
        if ($content === null) {
            $this->phase = Phase::Over;
            return false;
        }
        return $this->answer($this->execute($content[0], $content[1], $handler))
            && $this->cleanUp()
            && (!$this->isLate || $this->awaitResume());
    }

    /**
     * @param callable(Message): mixed $handler
     * @return array{string, string} the answer: head and body
     */
    private function execute(string $head, string $body, callable $handler): array
    {
        $execution = $this->execution;
        error_clear_last();
        Subject::take();
        $this->timeLimit->restart(hrtime(true));
        $output = new Output($this->outputLimit);
        $output->start();
        $answer = $execution->run(
            fn (): Message => Message::fromStream($this->params($head, $body), $body),
            static function (Message $message) use ($execution, $handler): void {
                ExecutionLog::clock($execution, $message);
                $handler($message);
            },
        );
        $printed = $output->end();
        ExecutionLog::answer($execution, $answer, $printed, $this->outputLimit);
        return [self::headOf($answer), (string) ($answer->marker === 'ack' ? $printed : $answer->body)];
    }

    /** @return array<string, mixed> as $_SERVER, if the message had a request of its own */
    private function params(string $head, string $body): array
    {
        $own = json_decode($head, true);
        if (!is_array($own)) {
            throw new RuntimeException('not executed: the head of its frame is no JSON object');
        }
        return $own + ['CONTENT_LENGTH' => strlen($body)] + $this->request->params;
    }

    /** A CGI header block (RFC 3875, section 6). */
    private static function headOf(Answer $answer): string
    {
        $subject = Subject::take();
        return "Status: {$answer->status}\r\n"
            . ($answer->marker === null ? '' : "X-Bridge-Outcome: {$answer->marker}\r\n")
            . ($answer->retryAfter === null ? '' : "Retry-After: {$answer->retryAfter}\r\n")
            . ($answer->clock === null ? '' : "X-Bridge-Clock: {$answer->clock}\r\n")
            . ($subject === null ? '' : "X-Bridge-Subject: {$subject}\r\n")
            . "\r\n";
    }

    /**
     * The second look at the clock comes after the write: see docs/protocol.md, "What was sent ahead".
     *
     * @param array{string, string} $content head and body
     * @return bool whether it is in the socket
     */
    private function answer(array $content): bool
    {
        [$head, $body] = $content;
        $frame = $this->stream->frame('A', $this->sequence, $head, $body);
        $question = $this->stream->frame('Q', $this->sequence);
        $deadline = $this->wroteAt + $this->request->lease;
        $this->wroteAt = hrtime(true);
        $this->isLate = $this->wroteAt > $deadline;
        if (!$this->write($frame, $body, $this->isLate ? $question : '')) {
            return false;
        }
        $this->execution = null;
        if ($this->isLate) {
            return true;
        }
        $now = hrtime(true);
        if ($now <= $deadline) {
            return true;
        }
        $this->isLate = true;
        $this->wroteAt = $now;
        return $this->write($question);
    }

    /** What was sent ahead is executed elsewhere. */
    private function awaitResume(): bool
    {
        do {
            $frame = $this->stream->next();
            if ($frame === null || !$this->stream->skip($frame)) {
                return false;
            }
        } while ($frame['type'] !== 'R' || $frame['sequence'] !== $this->sequence);
        return true;
    }

    /** @return bool whether more may follow */
    private function cleanUp(): bool
    {
        try {
            $this->leftovers->putBack();
            if ($this->reset !== null) {
                ($this->reset)();
                Output::endAll();
            }
        } catch (Throwable $error) {
            $reason = 'it cannot be cleaned up after a message: ' . Execution::describe($error);
            Log::write("fpm-bridge: {$reason}");
            $this->end($reason);
            return false;
        }
        $excess = $this->memory->excess();
        if ($excess !== null) {
            $this->end("memory: {$excess}");
        }
        return $excess === null;
    }

    private function end(string $reason): void
    {
        if ($this->write($this->stream->frame('E', $this->sequence, $reason))) {
            $this->phase = Phase::Over;
        }
    }

    /**
     * Where ignore_user_abort is off, PHP ends the script within, when the daemon is gone.
     *
     * @return bool false when the daemon is gone
     */
    private function write(string ...$bytes): bool
    {
        $this->phase = Phase::Writing;
        if (!Output::endAll()) {
            Log::write('fpm-bridge: no more can be said: an output buffer is open that cannot be ended');
            $this->phase = Phase::Over;
            return false;
        }
        $isWritten = $this->stream->write(...$bytes);
        if ($isWritten) {
            $this->phase = Phase::Between;
        }
        return $isWritten;
    }

    /** The script has ended: in order, or by an exit, a fatal error, the end of memory or of time. */
    private function shutDown(): void
    {
        $this->reserve = null;
        if ($this->phase === Phase::Writing) {
            $this->logEndedRequest();
        } elseif ($this->phase === Phase::Executing && $this->execution !== null) {
            $this->answerForHandler($this->execution);
        } elseif ($this->phase === Phase::Between) {
            $this->end(self::ending());
        }
    }

    private function answerForHandler(Execution $execution): void
    {
        $isHeard = connection_aborted() === 0;
        if ($isHeard) {
            ExecutionLog::ended($execution);
        }
        try {
            $execution->abandon();
        } catch (Throwable $error) {
            ExecutionLog::write($execution, Execution::describe($error));
        }
        $head = self::headOf(Answer::failed(''));
        if ($isHeard && $this->write($this->stream->frame('A', $this->sequence, $head))) {
            $this->end(self::ending());
        }
    }

    /** Why the script ends here. */
    private static function ending(): string
    {
        $error = ExecutionLog::fatalError();
        return $error === null ? 'exit' : strtok($error, "\n");
    }

    /** The daemon closes a connection only when it waits for nothing; else it is the handler's doing. */
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
