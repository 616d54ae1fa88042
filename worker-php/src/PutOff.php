<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * The messages of a stream that a handler has put off, and the answers to them that nobody has been told.
 *
 * @internal
 */
final class PutOff
{
    /** @var array<int, array{Execution, ?string}> without an answer, with its subject, by its number */
    private array $unanswered = [];
    private string $frames = '';

    /** @param int $outputLimit bytes */
    public function __construct(private readonly Stream $stream, private readonly int $outputLimit)
    {
    }

    public function add(int $sequence, Execution $execution, ?string $subject): void
    {
        $this->unanswered[$sequence] = [$execution, $subject];
    }

    /** Does nothing when it has one: a handler may finish later what it has left. */
    public function answer(int $sequence, Answer $answer): void
    {
        if (!isset($this->unanswered[$sequence])) {
            return;
        }
        [$execution, $subject] = $this->unanswered[$sequence];
        unset($this->unanswered[$sequence]);
        ExecutionLog::answer($execution, $answer, '', $this->outputLimit);
        $content = $answer->head($subject) . ($answer->marker === 'ack' ? '' : $answer->body);
        $this->frames .= $this->stream->frame('A', $sequence, $content);
    }

    /** All that have no answer get that one. */
    public function answerRest(Answer $answer): void
    {
        foreach ($this->unanswered as $sequence => [$execution]) {
            $this->answer($sequence, $execution->giveUp($answer));
        }
    }

    /** Of those that have no answer. @return list<Execution> */
    public function executions(): array
    {
        return array_column($this->unanswered, 0);
    }

    /** The answers, once. */
    public function takeFrames(): string
    {
        $frames = $this->frames;
        $this->frames = '';
        return $frames;
    }
}
