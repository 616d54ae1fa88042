<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use InvalidArgumentException;
use RuntimeException;

/**
 * A lock of files in one folder, one for each message: flock(2) says that it is being executed, its contents that it is
 * done. The kernel gives up a flock when its process ends in whatever way, so there are no leases and no clocks.
 *
 * All pools that execute a queue's messages must share the folder, and it must be on a local disk: use PdoLock where they
 * are on several hosts. Files stay until prune() removes them.
 */
final class FileLock implements Lock
{
    private const DONE = "done\n";

    /** @var array<string, resource> the files that this process has locked, by message id */
    private array $held = [];

    /**
     * @param string $folder exists, is writable, and nothing else is in it. It belongs to the pool's user and nobody else
     *                       may write to it (mode 0700): who can, can keep messages from being executed. Not below /tmp:
     *                       what forgets the files forgets what is done
     * @throws InvalidArgumentException
     */
    public function __construct(private readonly string $folder)
    {
        if (!is_dir($folder) || !is_writable($folder)) {
            throw new InvalidArgumentException("The folder of the locks, {$folder}, does not exist or is read-only.");
        }
    }

    public function acquire(string $messageId, Message $message): LockState
    {
        do {
            $file = $this->open($messageId);
            if (!flock($file, LOCK_EX | LOCK_NB)) {
                fclose($file);
                return LockState::busy();
            }
            // Between open and flock, prune() may have removed the file: a lock on it is nobody else's concern.
            $removed = !self::isAt($this->path($messageId), $file);
            if ($removed) {
                fclose($file);
            }
        } while ($removed);

        if (stream_get_contents($file) === self::DONE) {
            fclose($file);
            return LockState::done();
        }
        $this->held[$messageId] = $file;
        return LockState::acquired();
    }

    public function done(string $messageId): void
    {
        $file = $this->held[$messageId] ?? throw new RuntimeException("The message {$messageId} is not locked.");
        // What an execution that was killed here has begun to write is no longer than this, and is written over.
        $written = rewind($file) && fwrite($file, self::DONE) === strlen(self::DONE) && fflush($file) && fsync($file);
        if (!$written) {
            throw new RuntimeException("Cannot write to {$this->path($messageId)}: is the disk full?");
        }
        $this->release($messageId);
    }

    public function release(string $messageId): void
    {
        if (isset($this->held[$messageId])) {
            // Closing alone would leave the lock to a child process that the handler has started.
            flock($this->held[$messageId], LOCK_UN);
            fclose($this->held[$messageId]);
            unset($this->held[$messageId]);
        }
    }

    /**
     * Removes the files that have not been touched for a while, and with them what they know: a message that comes again
     * later than that is executed again.
     *
     * @param int $seconds more than a message can take to come back: its retries, and a dead letter that is sent again
     * @return int how many files were removed
     */
    public function prune(int $seconds): int
    {
        $removed = 0;
        foreach (glob("{$this->folder}/*.message") ?: [] as $path) {
            $file = @fopen($path, 'r+e');
            if ($file === false) {
                continue; // removed by somebody else
            }
            // Looked at under the lock: by then it may be somebody's again, or another file of that name.
            if (flock($file, LOCK_EX | LOCK_NB) && self::isAt($path, $file)) {
                $old = (fstat($file)['mtime'] ?? PHP_INT_MAX) < time() - $seconds;
                $removed += (int) ($old && unlink($path));
            }
            fclose($file);
        }
        return $removed;
    }

    /** @return resource */
    private function open(string $messageId)
    {
        $path = $this->path($messageId);
        // Who can open a file can lock it, and so keep its message from being executed: nobody but this user.
        $mask = umask(0o077);
        // e: closed on exec, or a program that outlives the handler would keep the lock.
        $file = fopen($path, 'c+e');
        umask($mask);
        return $file === false ? throw new RuntimeException("Cannot open {$path}.") : $file;
    }

    /** @param resource $file */
    private static function isAt(string $path, $file): bool
    {
        clearstatcache(true, $path);
        $now = @stat($path);
        return $now !== false && $now['ino'] === (fstat($file)['ino'] ?? null);
    }

    /** A message id is up to 255 bytes of anything. */
    private function path(string $messageId): string
    {
        return $this->folder . '/' . hash('sha256', $messageId) . '.message';
    }
}
