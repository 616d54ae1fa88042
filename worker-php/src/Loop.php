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
    private readonly Closure $handler;
    private readonly TimeLimit $timeLimit;
    private readonly Upkeep $upkeep;

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
        private readonly ?int $memoryLimit,
    ) {
        $this->stream = $request->stream;
        $this->reports = new Reports($request->stream, $request->lease);
    }

    /** @param Closure(): callable $boot makes the handler */
    public function serve(Closure $boot): void
    {
        if (!$this->boot($boot)) {
            return;
        }
        try {
            $goOn = $this->reports->hello();
            while ($goOn) {
                $frame = $this->stream->next();
                $goOn = $frame !== null && $this->take($frame);
            }
        } catch (UnexpectedValueException $error) {
            Log::write("fpm-bridge: {$error->getMessage()}");
            $this->reports->end($error->getMessage());
        }
        $this->reports->close();
    }

    /**
     * @param Closure(): callable $boot
     * @return bool whether there is a handler; if not, it has been said
     */
    private function boot(Closure $boot): bool
    {
        try {
            $handler = $boot();
            $this->handler = $handler(...);
        } catch (Throwable $error) {
            $this->reports->close();
            StreamRequest::refuse('not executed: it cannot boot: ' . Execution::describe($error));
            return false;
        }
        $this->timeLimit = new TimeLimit();
        $this->upkeep = new Upkeep($handler, $this->reset, $this->memoryLimit);
        return true;
    }

    /**
     * @param array{type: string, sequence: int, head: int, body: int} $frame
     * @return bool whether more may follow
     */
    private function take(array $frame): bool
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
        [$head, $body] = $this->execute($execution, $content);
        return $this->reports->answer($head, $body)
            && $this->cleanUp()
            && (!$this->reports->isLate() || $this->awaitResume());
    }

    /**
     * @param array{string, string} $content head and body of the frame
     * @return array{string, string} the answer: head and body
     */
    private function execute(Execution $execution, array $content): array
    {
        $handler = $this->handler;
        error_clear_last();
        Subject::take();
        $this->timeLimit->restart(hrtime(true));
        $output = new Output($this->outputLimit);
        $output->start();
        $answer = $execution->run(
            fn (): Message => Message::fromStream($this->params(...$content), $content[1]),
            static function (Message $message) use ($execution, $handler): void {
                Current::set($message);
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
            $this->upkeep->run();
            return true;
        } catch (EndRequest $end) {
            $this->reports->end($end->getMessage());
        } catch (Throwable $error) {
            $reason = 'it cannot be cleaned up after a message: ' . Execution::describe($error);
            Log::write("fpm-bridge: {$reason}");
            $this->reports->end($reason);
        }
        return false;
    }
}
