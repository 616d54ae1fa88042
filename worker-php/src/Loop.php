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
    private readonly Output $output;
    private readonly Closure $handler;
    private readonly TimeLimit $timeLimit;
    private readonly Upkeep $upkeep;

    /**
     * @param Execution $blank       of which each message gets a copy
     * @param int       $outputLimit bytes
     * @param ?int      $memoryLimit bytes; null: half of memory_limit
     */
    public function __construct(
        private readonly StreamRequest $request,
        private readonly Execution $blank,
        private readonly int $outputLimit,
        private readonly ?Closure $reset,
        private readonly ?int $memoryLimit,
    ) {
        $this->stream = $request->stream;
        $this->reports = new Reports($request->stream, $request->lease);
        $this->output = new Output($outputLimit);
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
     * @param array{type: int, sequence: int, head: int, body: int} $frame
     * @return bool whether more may follow
     */
    private function take(array $frame): bool
    {
        $last = $this->reports->sequence();
        if ($frame['type'] !== Stream::MESSAGE || $frame['sequence'] <= $last) {
            $what = ($frame['type'] === Stream::MESSAGE ? 'M' : 'R') . " {$frame['sequence']}";
            throw new UnexpectedValueException("a frame {$what} has come after message {$last}");
        }
        $execution = clone $this->blank;
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
        error_clear_last();
        Subject::take();
        $this->timeLimit->restart(hrtime(true));
        $this->output->start();
        $answer = $execution->run(fn (): Message => $this->message($content), $this->handler);
        $printed = $this->output->end();
        ExecutionLog::answer($execution, $answer, $printed, $this->outputLimit);
        return [$answer->head(Subject::take()), (string) ($answer->marker === 'ack' ? $printed : $answer->body)];
    }

    /** @param array{string, string} $content head and body of the frame */
    private function message(array $content): Message
    {
        [$head, $body] = $content;
        $own = json_decode($head, true);
        if (!is_array($own)) {
            throw new RuntimeException('not executed: the head of its frame is no JSON object');
        }
        // In place: a copy of it costs more than to decode it.
        $own += $this->request->params;
        $message = Message::fromStream($own, $body);
        Current::set($message);
        return $message;
    }

    /** What was sent ahead is executed elsewhere. */
    private function awaitResume(): bool
    {
        do {
            $frame = $this->stream->next();
            if ($frame === null || !$this->stream->skip($frame)) {
                return false;
            }
        } while ($frame['type'] !== Stream::RESUME || $frame['sequence'] !== $this->reports->sequence());
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
