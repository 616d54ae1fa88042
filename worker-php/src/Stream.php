<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use UnexpectedValueException;

/**
 * The frames of a message stream, version 1 (docs/protocol.md).
 *
 * php-fpm hands out the bytes of php://input as they come only if they are read without a buffer, and in exact lengths: it
 * waits until there are as many as were asked for.
 *
 * @internal
 */
final class Stream
{
    /** Types of frames: a letter, and three bytes of nothing. */
    public const MESSAGE = 0x4d00_0000; // M
    public const RESUME = 0x5200_0000; // R
    public const FLUSH = 0x4600_0000; // F
    private const BUNDLE = 0x4200_0000; // B

    private const TYPES = [self::MESSAGE, self::RESUME, self::FLUSH];

    private const HEADER = 16;

    /** Bytes of head and body that are read at once: a read costs several system calls, copying these costs less. */
    private const READ_AT_ONCE = 65_536;

    /** @var resource */
    private $input;

    /** Frames that came at once, and how much of them has been taken. */
    private string $bundle = '';
    private int $taken = 0;

    public function __construct(private readonly string $nonce)
    {
        $this->input = fopen('php://input', 'r');
        stream_set_read_buffer($this->input, 0);
    }

    /**
     * Waits for the header of the next frame.
     *
     * @return ?array{type: int, sequence: int, head: int, body: int} null when no more come
     * @throws UnexpectedValueException when it is none
     */
    public function next(): ?array
    {
        $header = $this->read(self::HEADER);
        if ($header === null) {
            return null;
        }
        $frame = unpack('Ntype/Nsequence/Nhead/Nbody', $header);
        if ($frame['type'] === self::BUNDLE && $this->taken === strlen($this->bundle)) {
            $this->bundle = $this->read($frame['body']) ?? '';
            $this->taken = 0;
            return $this->bundle === '' ? null : $this->next();
        }
        if (!in_array($frame['type'], self::TYPES, true)) {
            throw new UnexpectedValueException('what has come is no frame: ' . bin2hex($header));
        }
        return $frame;
    }

    /**
     * What follows a header.
     *
     * @param array{head: int, body: int} $frame
     * @return ?array{string, string} head and body; null when they have not come to their end: the daemon is gone
     */
    public function content(array $frame): ?array
    {
        ['head' => $headLength, 'body' => $bodyLength] = $frame;
        if ($headLength + $bodyLength <= self::READ_AT_ONCE) {
            $both = $this->read($headLength + $bodyLength);
            return $both === null ? null : [substr($both, 0, $headLength), substr($both, $headLength)];
        }
        $head = $this->read($headLength);
        $body = $head === null ? null : $this->read($bodyLength);
        return $body === null ? null : [$head, $body];
    }

    /**
     * Reads what follows a header, and drops it.
     *
     * @param array{head: int, body: int} $frame
     * @return bool false when it has not come to its end
     */
    public function skip(array $frame): bool
    {
        for ($left = $frame['head'] + $frame['body']; $left > 0; $left -= self::READ_AT_ONCE) {
            if ($this->read(min($left, self::READ_AT_ONCE)) === null) {
                return false;
            }
        }
        return true;
    }

    /**
     * @param string $begin of the content
     * @param string $rest of it, which is not copied
     */
    public function frame(string $type, int $sequence, string $begin = '', string $rest = ''): string
    {
        return $this->nonce . $type . pack('NN', $sequence, strlen($begin) + strlen($rest)) . $begin;
    }

    /**
     * Writes a frame to the socket, with the rest of its content. Where ignore_user_abort is off, PHP ends the script here when the daemon is gone.
     *
     * @return bool false when the daemon is gone: nothing more may be executed
     */
    public function write(string $frame, string $rest = ''): bool
    {
        echo $frame, $rest;
        flush();
        return connection_aborted() === 0;
    }

    private function read(int $length): ?string
    {
        if ($this->taken < strlen($this->bundle)) {
            $bytes = substr($this->bundle, $this->taken, $length);
            $this->taken += $length;
            return strlen($bytes) === $length ? $bytes : throw new UnexpectedValueException('a bundle ends within a frame');
        }
        $bytes = '';
        while (strlen($bytes) < $length) {
            $piece = fread($this->input, $length - strlen($bytes));
            if ($piece === false || $piece === '') {
                return null;
            }
            $bytes .= $piece;
        }
        return $bytes;
    }
}
