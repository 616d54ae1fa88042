<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Tests;

use FpmBridge\Worker\Answer;
use FpmBridge\Worker\Execution;
use FpmBridge\Worker\Forbidden;
use FpmBridge\Worker\Hold;
use FpmBridge\Worker\InvalidMessage;
use FpmBridge\Worker\Lock;
use FpmBridge\Worker\Message;
use FpmBridge\Worker\Reject;
use FpmBridge\Worker\Retry;
use FpmBridge\Worker\LockState;
use PHPUnit\Framework\TestCase;
use RuntimeException;
use Throwable;

final class ExecutionTest extends TestCase
{
    private int $executions = 0;

    public function testWhatBecomesOfAHandler(): void
    {
        $answers = [
            'returns' => [null, [200, 'ack', null]],
            'throws' => [new RuntimeException('no'), [500, 'retry', null]],
            'has a mistake' => [new \TypeError('no'), [500, 'retry', null]],
            'asks for a delay' => [new Retry(90), [503, 'retry', 90]],
            'asks for another attempt' => [new Retry(), [503, 'retry', null]],
            'finds nothing that works' => [new Hold(30), [503, 'hold', 30]],
            'finds nothing that works, for who knows how long' => [new Hold(), [503, 'hold', null]],
            'rejects' => [new Reject('no'), [422, 'dead-letter', null]],
            'cannot read it' => [new InvalidMessage('no'), [422, 'dead-letter', null]],
        ];
        foreach ($answers as $what => [$thrown, $expected]) {
            $answer = $this->answer($this->handler($thrown));
            self::assertSame($expected, [$answer->status, $answer->marker, $answer->retryAfter], $what);
        }
    }

    public function testGivesTheReasonAndThePlace(): void
    {
        $answer = $this->answer($this->handler(new RuntimeException('the shop is closed')));
        $place = __FILE__ . ':' . (__LINE__ - 1);
        self::assertSame("RuntimeException: the shop is closed in {$place}", $answer->reason);
        // A requester may get the body, and is not to learn that much.
        self::assertSame('', $answer->body);
        self::assertSame("gone\n", $this->answer($this->handler(new Reject('gone')))->body);
    }

    public function testARequestThatIsNotTheBridgesIsForbidden(): void
    {
        $execution = new Execution(null, 60, true);
        $read = static fn (): Message => throw new Forbidden('who are you');
        $answer = $execution->run($read, $this->handler());
        self::assertSame([403, null, 0], [$answer->status, $answer->marker, $this->executions]);
        self::assertSame('request', $execution->subject());
    }

    public function testPastTheDeadlineNothingIsExecuted(): void
    {
        $late = ['AMQP_DEADLINE' => (string) time()];
        $answer = $this->answer($this->handler(), null, $late);
        self::assertSame([503, 'retry', 0], [$answer->status, $answer->marker, $this->executions]);
        self::assertEqualsWithDelta(time(), $answer->clock, 5);
        self::assertSame(200, $this->answer($this->handler(), null, $late, obeyDeadline: false)->status);
        self::assertSame(200, $this->answer($this->handler(), null, ['AMQP_DEADLINE' => (string) (time() + 60)])->status);
        // With --ack dispatched it has been acked, and nobody would repeat it.
        self::assertSame(200, $this->answer($this->handler(), null, [...$late, 'AMQP_ACK' => 'dispatched'])->status);
        self::assertSame(3, $this->executions);
    }

    public function testAPartOfABodyIsNotExecutedAndTakesNoLock(): void
    {
        $lengths = [['CONTENT_LENGTH' => '9'], ['AMQP_BODY_LENGTH' => '9', 'CONTENT_LENGTH' => '8']];
        foreach ($lengths as $params) {
            $lock = new RememberingLock(LockState::acquired());
            $answer = $this->answer($this->handler(), $lock, $params, body: '12345678');
            self::assertSame([503, 'retry'], $this->statusAndMarker($answer));
            self::assertStringContainsString("of its body's 9 bytes PHP has 8", $answer->reason);
            self::assertSame([[], 0], [$lock->calls, $this->executions]);
            self::assertSame('ack', $this->answer($this->handler(), null, $params, body: '123456789')->marker);
            $this->executions = 0;
        }
    }

    public function testIsDoneBeforeItIsAcked(): void
    {
        $lock = new RememberingLock(LockState::acquired());
        $handler = static function () use ($lock): void {
            $lock->calls[] = 'handler';
        };
        self::assertSame('ack', $this->answer($handler, $lock)->marker);
        self::assertSame(['acquire m-1', 'handler', 'done m-1'], $lock->calls);
    }

    public function testAFailureReleasesTheLock(): void
    {
        foreach ([new RuntimeException('no'), new Retry(), new Hold(), new Reject('no')] as $thrown) {
            $lock = new RememberingLock(LockState::acquired());
            $this->answer($this->handler($thrown), $lock);
            self::assertSame(['acquire m-1', 'release m-1'], $lock->calls);
        }
    }

    public function testWhatCannotBeMarkedAsDoneIsExecutedAgain(): void
    {
        $lock = new RememberingLock(LockState::acquired());
        $lock->failsWhenDone = new RuntimeException('the disk is full');
        self::assertSame('retry', $this->answer($this->handler(), $lock)->marker);
        self::assertSame(['acquire m-1', 'done m-1', 'release m-1'], $lock->calls);
    }

    public function testWhatIsDoneIsAckedWithoutBeingExecuted(): void
    {
        $lock = new RememberingLock(LockState::done());
        self::assertSame([200, 'ack'], $this->statusAndMarker($this->answer($this->handler(), $lock)));
        self::assertSame([['acquire m-1'], 0], [$lock->calls, $this->executions]);
    }

    public function testWhatIsBeingExecutedElsewhereComesBackLater(): void
    {
        foreach ([[LockState::busy(), 60], [LockState::busy(7), 7]] as [$state, $seconds]) {
            $lock = new RememberingLock($state);
            $answer = $this->answer($this->handler(), $lock);
            self::assertSame([503, 'retry'], $this->statusAndMarker($answer));
            self::assertSame([$seconds, ['acquire m-1'], 0], [$answer->retryAfter, $lock->calls, $this->executions]);
        }
    }

    public function testWithALockAMessageNeedsAnId(): void
    {
        foreach ([null, ''] as $id) {
            $lock = new RememberingLock(LockState::acquired());
            $answer = $this->answer($this->handler(), $lock, ['AMQP_MESSAGE_ID' => $id]);
            self::assertSame([422, 'dead-letter'], $this->statusAndMarker($answer));
            self::assertSame([[], 0], [$lock->calls, $this->executions]);
        }
    }

    public function testAbandonedInMidHandlerItReleasesOnce(): void
    {
        $lock = new RememberingLock(LockState::acquired());
        $execution = new Execution($lock, 60, true);
        $execution->run(static fn (): Message => Request::message(), static function () use ($execution): void {
            $execution->abandon();
        });
        $execution->abandon();
        self::assertSame(['acquire m-1', 'release m-1'], $lock->calls);
    }

    private function handler(?Throwable $thrown = null): callable
    {
        return function (Message $message) use ($thrown): void {
            $this->executions += 1;
            if ($thrown !== null) {
                throw $thrown;
            }
        };
    }

    private function answer(
        callable $handler,
        ?Lock $lock = null,
        array $params = [],
        bool $obeyDeadline = true,
        string $body = '',
    ): Answer {
        $execution = new Execution($lock, 60, $obeyDeadline);
        return $execution->run(static fn (): Message => Request::message($params, body: $body), $handler);
    }

    /** @return array{int, ?string} */
    private function statusAndMarker(Answer $answer): array
    {
        return [$answer->status, $answer->marker];
    }
}
