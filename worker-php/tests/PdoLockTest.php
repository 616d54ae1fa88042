<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Tests;

use FpmBridge\Worker\Message;
use FpmBridge\Worker\PdoLock;
use InvalidArgumentException;
use PDO;
use PHPUnit\Framework\TestCase;
use RuntimeException;

final class PdoLockTest extends TestCase
{
    private PDO $pdo;
    private Message $message;

    protected function setUp(): void
    {
        $this->pdo = new PDO('sqlite::memory:');
        $this->pdo->exec($this->documentedTable());
        $this->pdo->exec('CREATE TABLE effects (name TEXT)');
        $this->message = Request::message();
    }

    public function testLetsOneExecuteAtATimeAndSaysHowLong(): void
    {
        [$mine, $other] = [$this->lock(90), $this->lock()];
        self::assertSame('acquired', $mine->acquire('m', $this->message)->name);
        $state = $other->acquire('m', $this->message);
        self::assertSame('busy', $state->name);
        self::assertEqualsWithDelta(91, $state->retryAfter, 1);
        $mine->release('m');
        self::assertSame('acquired', $other->acquire('m', $this->message)->name);
    }

    public function testRemembersWhatIsDone(): void
    {
        $lock = $this->lock();
        $lock->acquire('m', $this->message);
        $lock->done('m');
        $lock->release('m');
        self::assertSame('done', $this->lock()->acquire('m', $this->message)->name);
    }

    public function testALeaseThatIsOverIsTakenOverOnce(): void
    {
        $dead = $this->lock();
        $dead->acquire('m', $this->message);
        $this->endLeases();
        $heir = $this->lock();
        self::assertSame('acquired', $heir->acquire('m', $this->message)->name);
        self::assertSame('busy', $this->lock()->acquire('m', $this->message)->name);

        // The one taken for dead was only slow: what it says no longer counts.
        $dead->release('m');
        try {
            $dead->done('m');
            self::fail('It is somebody else’s.');
        } catch (RuntimeException $error) {
            self::assertStringContainsString('lease of 60 s was over', $error->getMessage());
        }
        $heir->done('m');
        self::assertSame('done', $this->lock()->acquire('m', $this->message)->name);
    }

    public function testEffectsAndDoneCanBeOneTransaction(): void
    {
        $lock = $this->lock();
        $lock->acquire('m', $this->message);
        $this->pdo->beginTransaction();
        $this->pdo->exec("INSERT INTO effects VALUES ('first')");
        $lock->markDone('m');
        $this->pdo->rollBack();
        self::assertSame('busy', $this->lock()->acquire('m', $this->message)->name);

        $this->pdo->beginTransaction();
        $this->pdo->exec("INSERT INTO effects VALUES ('second')");
        $lock->markDone('m');
        $this->pdo->commit();
        $lock->done('m');
        self::assertSame('done', $this->lock()->acquire('m', $this->message)->name);
        self::assertSame(['second'], $this->pdo->query('SELECT name FROM effects')->fetchAll(PDO::FETCH_COLUMN));
    }

    public function testATransactionLeftOpenIsNotDone(): void
    {
        $lock = $this->lock();
        $lock->acquire('m', $this->message);
        $this->pdo->beginTransaction();
        $this->pdo->exec("INSERT INTO effects VALUES ('lost')");
        try {
            $lock->done('m');
            self::fail('It would be rolled back when the process ends.');
        } catch (RuntimeException $error) {
            self::assertStringContainsString('transaction open', $error->getMessage());
        }
        $lock->release('m');
        self::assertSame('0', (string) $this->pdo->query('SELECT COUNT(*) FROM effects')->fetchColumn());
        self::assertSame('acquired', $this->lock()->acquire('m', $this->message)->name);
    }

    public function testPrunesWhatWasDoneLongAgo(): void
    {
        $lock = $this->lock();
        foreach (['old', 'held'] as $id) {
            $lock->acquire($id, $this->message);
        }
        $lock->done('old');
        self::assertSame(0, $lock->prune(60));
        $this->pdo->exec('UPDATE fpm_bridge_messages SET done_at = done_at - 3600');
        self::assertSame(1, $lock->prune(60));
        self::assertSame('acquired', $this->lock()->acquire('old', $this->message)->name);
        self::assertSame('busy', $this->lock()->acquire('held', $this->message)->name);
    }

    public function testAMissingTableIsAnError(): void
    {
        $this->expectException(\PDOException::class);
        $this->expectExceptionMessage('no such table');
        (new PdoLock(new PDO('sqlite::memory:')))->acquire('m', $this->message);
    }

    public function testNeedsAPdoThatThrows(): void
    {
        $this->pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_SILENT);
        $this->expectException(InvalidArgumentException::class);
        $this->lock();
    }

    private function lock(int $leaseSeconds = 60): PdoLock
    {
        return new PdoLock($this->pdo, $leaseSeconds);
    }

    private function endLeases(): void
    {
        $this->pdo->exec('UPDATE fpm_bridge_messages SET leased_until = ' . (time() - 1));
    }

    /** The statement that the class shows its users. */
    private function documentedTable(): string
    {
        $comment = (string) (new \ReflectionClass(PdoLock::class))->getDocComment();
        self::assertSame(1, preg_match('/CREATE TABLE .*?\n \*     \)/s', $comment, $match));
        return (string) preg_replace('/^ \*/m', '', $match[0]);
    }
}
