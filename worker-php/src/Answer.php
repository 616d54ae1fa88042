<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * What the daemon is told: a marker, which decides, and a status that says the same to whoever reads no marker.
 *
 * @internal
 */
final class Answer
{
    /** Most messages get this one. */
    private static ?self $success = null;

    /** As a CGI header block (RFC 3875, section 6), without its end. */
    private readonly string $head;

    /**
     * @param ?string $marker     of the header X-Bridge-Outcome
     * @param ?int    $retryAfter seconds
     * @param ?int    $clock      of the header X-Bridge-Clock: Unix seconds
     * @param string  $body       for a requester who gets the answer as a reply
     * @param string  $reason     for the log; empty when there is nothing to say
     */
    private function __construct(
        public readonly int $status,
        public readonly ?string $marker,
        public readonly ?int $retryAfter = null,
        public readonly ?int $clock = null,
        public readonly string $body = '',
        public readonly string $reason = '',
    ) {
        $this->head = "Status: {$status}\r\n"
            . ($marker === null ? '' : "X-Bridge-Outcome: {$marker}\r\n")
            . ($retryAfter === null ? '' : "Retry-After: {$retryAfter}\r\n")
            . ($clock === null ? '' : "X-Bridge-Clock: {$clock}\r\n");
    }

    public static function ack(string $reason = ''): self
    {
        return $reason === '' ? self::$success ??= new self(200, 'ack') : new self(200, 'ack', reason: $reason);
    }

    public static function failed(string $reason): self
    {
        return new self(500, 'retry', reason: $reason);
    }

    /** @param ?int $seconds null leaves it to the daemon */
    public static function retry(?int $seconds, string $reason): self
    {
        return new self(503, 'retry', $seconds, reason: $reason);
    }

    /** @param ?int $seconds null leaves it to the daemon */
    public static function hold(?int $seconds, string $reason): self
    {
        return new self(503, 'hold', $seconds, reason: $reason);
    }

    /** By the clock of this host, which the daemon compares with its own: one that is wrong makes all messages late. */
    public static function late(): self
    {
        $reason = 'not executed: its deadline had passed before it came to run';
        return new self(503, 'retry', clock: time(), reason: $reason);
    }

    public static function deadLetter(string $reason): self
    {
        return new self(422, 'dead-letter', body: "{$reason}\n", reason: $reason);
    }

    /** For requests that are not the daemon's: the marker is none of their business. */
    public static function forbidden(string $reason): self
    {
        return new self(403, null, body: "Refused: {$reason}.\n", reason: $reason);
    }

    /** Where php-fpm sends none. */
    public function head(?string $subject): string
    {
        return $subject === null ? "{$this->head}\r\n" : "{$this->head}X-Bridge-Subject: {$subject}\r\n\r\n";
    }
}
