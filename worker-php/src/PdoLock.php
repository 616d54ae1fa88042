<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use InvalidArgumentException;
use PDO;
use PDOException;
use RuntimeException;

/**
 * A lock of rows in a database table, one for each message, for pools on several hosts. Its SQL is plain enough for SQLite,
 * MySQL and PostgreSQL.
 *
 * A row whose process has died stays: so each is only leased, and may be taken over when the lease is over. Rows that are
 * done stay until prune() removes them.
 *
 *     CREATE TABLE fpm_bridge_messages (
 *         message_key CHAR(64) NOT NULL PRIMARY KEY,
 *         owner CHAR(32) NOT NULL,
 *         leased_until BIGINT NOT NULL,
 *         done_at BIGINT NULL
 *     )
 */
final class PdoLock implements Lock
{
    /** Of this object, and so of one execution. */
    private readonly string $owner;

    /**
     * @param PDO    $pdo          that throws on errors, which is PDO's default
     * @param int    $leaseSeconds longer than any handler may run: not below the pool's request_terminate_timeout, or two
     *                             processes may execute one message at once. The hosts' clocks should agree better
     *                             than that
     * @param string $table        trusted: it becomes a part of the SQL
     * @throws InvalidArgumentException
     */
    public function __construct(
        private readonly PDO $pdo,
        private readonly int $leaseSeconds = 1_800,
        private readonly string $table = 'fpm_bridge_messages',
    ) {
        if ($pdo->getAttribute(PDO::ATTR_ERRMODE) !== PDO::ERRMODE_EXCEPTION) {
            throw new InvalidArgumentException('The lock needs a PDO with PDO::ERRMODE_EXCEPTION.');
        }
        if ($leaseSeconds < 1) {
            throw new InvalidArgumentException("A lease takes 1 second or more, not {$leaseSeconds}.");
        }
        $this->owner = bin2hex(random_bytes(16));
    }

    public function acquire(string $messageId, Message $message): LockState
    {
        $now = time();
        $mine = ['key' => self::key($messageId), 'owner' => $this->owner, 'until' => $now + $this->leaseSeconds];
        if ($this->inserts($mine) || $this->takesOver($mine + ['now' => $now])) {
            return LockState::acquired();
        }
        $row = $this->row($messageId);
        if ($row === null) {
            return LockState::busy(1); // released since the INSERT
        }
        return $row['done_at'] === null
            ? LockState::busy(max(1, (int) $row['leased_until'] - $now + 1))
            : LockState::done();
    }

    public function done(string $messageId): void
    {
        if ($this->pdo->inTransaction()) {
            throw new RuntimeException('The handler has left a transaction open: nothing of it would be kept.');
        }
        $this->markDone($messageId);
    }

    /**
     * For a handler that works in a transaction of the same PDO: called before its commit, it makes the message's effects
     * and its being done one thing, which no crash can part. The Worker calls done() afterwards all the same.
     *
     * @throws RuntimeException when the lease was over and somebody else has taken the message: roll back
     */
    public function markDone(string $messageId): void
    {
        $changed = $this->execute(
            "UPDATE {$this->table} SET done_at = :now WHERE message_key = :key AND owner = :owner",
            ['now' => time(), 'key' => self::key($messageId), 'owner' => $this->owner],
        );
        // MySQL counts a row that already had the value as not changed.
        if ($changed === 0 && ($this->row($messageId)['owner'] ?? null) !== $this->owner) {
            throw new RuntimeException(
                "The lease of {$this->leaseSeconds} s was over before the handler, and the message is somebody else's.",
            );
        }
    }

    public function release(string $messageId): void
    {
        if ($this->pdo->inTransaction()) {
            $this->pdo->rollBack(); // what the handler has begun; PHP would do it a moment later
        }
        $this->execute(
            "DELETE FROM {$this->table} WHERE message_key = :key AND owner = :owner AND done_at IS NULL",
            ['key' => self::key($messageId), 'owner' => $this->owner],
        );
    }

    /**
     * Removes the rows of messages that were done a while ago: one that comes again later than that is executed again.
     *
     * @param int $seconds more than a message can take to come back: its retries, and a dead letter that is sent again
     * @return int how many rows were removed
     */
    public function prune(int $seconds): int
    {
        return $this->execute("DELETE FROM {$this->table} WHERE done_at < :before", ['before' => time() - $seconds]);
    }

    /** @param array<string, string|int> $values */
    private function inserts(array $values): bool
    {
        try {
            $this->execute(
                "INSERT INTO {$this->table} (message_key, owner, leased_until) VALUES (:key, :owner, :until)",
                $values,
            );
            return true;
        } catch (PDOException $error) {
            // SQLSTATE class 23: the row is there already.
            return str_starts_with((string) $error->getCode(), '23') ? false : throw $error;
        }
    }

    /** @param array<string, string|int> $values */
    private function takesOver(array $values): bool
    {
        $sql = "UPDATE {$this->table} SET owner = :owner, leased_until = :until
            WHERE message_key = :key AND done_at IS NULL AND leased_until < :now";
        return $this->execute($sql, $values) === 1;
    }

    /** @return ?array{owner: string, leased_until: int|string, done_at: int|string|null} */
    private function row(string $messageId): ?array
    {
        $sql = "SELECT owner, leased_until, done_at FROM {$this->table} WHERE message_key = :key";
        $statement = $this->pdo->prepare($sql);
        $statement->execute(['key' => self::key($messageId)]);
        $row = $statement->fetch(PDO::FETCH_ASSOC);
        return $row === false ? null : $row;
    }

    /** @param array<string, string|int> $values @return int rows */
    private function execute(string $sql, array $values): int
    {
        $statement = $this->pdo->prepare($sql);
        $statement->execute($values);
        return $statement->rowCount();
    }

    /** Of one length, and the same in every collation: MySQL takes 'a' and 'A' for one key. */
    private static function key(string $messageId): string
    {
        return hash('sha256', $messageId);
    }
}
