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
 * @internal
 */
final class Loop
{
    private readonly Stream $stream;
    private readonly Reports $reports;
    private readonly TimeLimit $timeLimit;
    private readonly MemoryLimit $memory;
    private readonly Leftovers $leftovers;

    /**
     * @param Closure(): Execution $newExecution
     * @param int                  $outputLimit bytes
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
        $this->reports = new Reports($request->stream, $request->lease);
        $this->timeLimit = new TimeLimit();
        $this->memory = new MemoryLimit($memoryLimit);
        $this->leftovers = new Leftovers();
    }

    /** @param callable(Message): mixed $handler */
    public function serve(callable $handler): void
    {
        try {
            $goOn = $this->reports->hello();
            while ($goOn) {
                $frame = $this->stream->next();
                $goOn = $frame !== null && $this->take($frame, $handler);
            }
        } catch (UnexpectedValueException $error) {
            Log::write("fpm-bridge: {$error->getMessage()}");
            $this->reports->end($error->getMessage());
        }
        $this->reports->close();
    }

    /**
     * @param array{type: string, sequence: int, head: int, body: int} $frame
     * @param callable(Message): mixed                                 $handler
     * @return bool whether more may follow
     */
    private function take(array $frame, callable $handler): bool
    {
        $last = $this->reports->sequence();
        if ($frame['type'] !== 'M' || $frame['sequence'] <= $last) {
            $what = "{$frame['type']} {$frame['sequence']}";
            throw new UnexpectedValueException("a frame {$what} has come after message {$last}");
        }
        $execution = ($this->newExecution)();
        $this->reports->begin($frame['sequence'], $execution);
        $content = $this->stream->content($frame);
        if ($content === null) {
            return false;
        }
        [$head, $body] = $this->execute($execution, $content, $handler);
        return $this->reports->answer($head, $body)
            && $this->cleanUp()
            && (!$this->reports->isLate() || $this->awaitResume());
    }

    /**
     * @param array{string, string}    $content head and body of the frame
     * @param callable(Message): mixed $handler
     * @return array{string, string} the answer: head and body
     */
    private function execute(Execution $execution, array $content, callable $handler): array
    {
        error_clear_last();
        Subject::take();
        $this->timeLimit->restart(hrtime(true));
        $output = new Output($this->outputLimit);
        $output->start();
        $answer = $execution->run(
            fn (): Message => Message::fromStream($this->params(...$content), $content[1]),
            static function (Message $message) use ($execution, $handler): void {
                ExecutionLog::clock($execution, $message);
                $handler($message);
            },
        );
        $printed = $output->end();
        ExecutionLog::answer($execution, $answer, $printed, $this->outputLimit);
        return [$answer->head(Subject::take()), (string) ($answer->marker === 'ack' ? $printed : $answer->body)];
    }

    /** @return array<string, string> those of the request, if the message had one of its own */
    private function params(string $head, string $body): array
    {
        $own = json_decode($head, true);
        if (!is_array($own)) {
            throw new RuntimeException('not executed: the head of its frame is no JSON object');
        }
        // In place: a copy of it costs more than to decode it.
        $own += $this->request->params;
        $own['CONTENT_LENGTH'] = (string) strlen($body);
        return $own;
    }

    /** What was sent ahead is executed elsewhere. */
    private function awaitResume(): bool
    {
        do {
            $frame = $this->stream->next();
            if ($frame === null || !$this->stream->skip($frame)) {
                return false;
            }
        } while ($frame['type'] !== 'R' || $frame['sequence'] !== $this->reports->sequence());
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
            $this->reports->end($reason);
            return false;
        }
        $excess = $this->memory->excess();
        if ($excess !== null) {
            $this->reports->end("memory: {$excess}");
        }
        return $excess === null;
    }
}
