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
    private readonly PutOff $putOff;
    private readonly Reports $reports;
    private readonly Output $output;
    private readonly Closure $handler;
    private readonly ?Batching $batching;
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
        $this->putOff = new PutOff($request->stream, $outputLimit);
        $this->reports = new Reports($request->stream, $this->putOff, $request->lease);
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
                $goOn = $frame === null ? $this->finishAll() && false : $this->obey($frame);
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
            $this->batching = $handler instanceof Batching ? $handler : null;
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
    private function obey(array $frame): bool
    {
        return $frame['type'] === Stream::FLUSH ? $this->flush() : $this->take($frame);
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
        $answer = $this->execute($execution, $content);
        $isSaid = $answer === null ? $this->reports->putOff(Subject::take()) : $this->reports->answer(...$answer);
        return $isSaid
            && $this->cleanUp()
            && (!$this->reports->isLate() || $this->awaitResume());
    }

    /**
     * @param array{string, string} $content head and body of the frame
     * @return ?array{string, string} the answer: head and body; null: it was put off
     */
    private function execute(Execution $execution, array $content): ?array
    {
        error_clear_last();
        Subject::take();
        $this->timeLimit->restart(hrtime(true));
        $this->output->start();
        $read = fn (): Message => $this->message($content);
        $answer = $this->batching === null
            ? $execution->run($read, $this->handler)
            : $execution->collect($read, $this->batching, $this->later());
        $printed = $this->output->end();
        if ($answer === null) {
            return null;
        }
        ExecutionLog::answer($execution, $answer, $printed, $this->outputLimit);
        return [$answer->head(Subject::take()), (string) ($answer->marker === 'ack' ? $printed : $answer->body)];
    }

    /** @return Closure(Answer): void what takes the answer to the message at hand when it was put off */
    private function later(): Closure
    {
        $sequence = $this->reports->sequence();
        return fn (Answer $answer) => $this->putOff->answer($sequence, $answer);
    }

    /** No more messages come, or the daemon is gone: then somebody else gets what was put off. */
    private function finishAll(): bool
    {
        return $this->putOff->executions() === [] || ($this->reports->isHeard() && $this->flush());
    }

    /** @return bool whether more may follow */
    private function flush(): bool
    {
        $reason = 'it was put off, and not finished when no more messages came';
        $this->timeLimit->restart(hrtime(true));
        $this->output->start();
        try {
            $this->batching?->flush();
        } catch (Throwable $error) {
            $reason .= ': ' . Execution::describe($error);
        }
        $this->output->end();
        $this->putOff->answerRest(Answer::failed($reason));
        return $this->reports->flush();
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
            if ($frame === null) {
                return $this->finishAll() && false;
            }
            if ($frame['type'] === Stream::FLUSH ? !$this->flush() : !$this->stream->skip($frame)) {
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
            $reason = $end->getMessage();
        } catch (Throwable $error) {
            $reason = 'it cannot be cleaned up after a message: ' . Execution::describe($error);
            Log::write("fpm-bridge: {$reason}");
        }
        if ($this->finishAll()) {
            $this->reports->end($reason);
        }
        return false;
    }
}
