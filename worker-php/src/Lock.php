<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * Keeps a message from being executed twice, by its message id. Once a message is done, every further execution of it is
 * acked without running the handler.
 *
 * The Worker calls acquire(), then the handler, then done(), and only then says that the message may be acked; after an
 * exception, an exit or a fatal error it calls release(). A process that is killed calls nothing: the lock has to find
 * out by itself.
 *
 * What remains: a process that is killed between the handler's last effect and done() has its message executed again.
 * Only a handler whose effects and done() are one transaction closes that gap: see PdoLock::markDone().
 */
interface Lock
{
    /**
     * Asks for the right to execute a message, without waiting for it.
     *
     * @param string $messageId never empty
     */
    public function acquire(string $messageId, Message $message): LockState;

    /**
     * The handler has returned. From here on acquire() answers LockState::done().
     *
     * @throws \RuntimeException when that is not on record; the message is then executed again
     */
    public function done(string $messageId): void;

    /** The handler has not succeeded: whoever asks next may execute the message. */
    public function release(string $messageId): void;
}
