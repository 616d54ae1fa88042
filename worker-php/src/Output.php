<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use Closure;

/**
 * Keeps what a handler prints, so that it does not send the headers, and hands it over at the end.
 *
 * Handlers may flush and end the buffer: nothing comes out of it, and a loop that ends every buffer there is comes to its
 * end. What is printed after that goes straight out, and the headers with it. So do the headers at a flush(), from PHP 8.4
 * on: FPM then sends them though there is nothing else to send (PHP's UPGRADING of 8.4).
 *
 * @internal
 */
final class Output
{
    /** Bytes after which PHP hands over what was printed, so that not all of it is in memory when most is dropped. */
    private const CHUNK = 16_384;

    private string $kept = '';
    private bool $tooLarge = false;
    private int $level = 0;
    private readonly Closure $take;

    /** @param int $limit bytes; of more than that, nothing is kept */
    public function __construct(private readonly int $limit)
    {
        $this->take = $this->take(...);
    }

    /** Also again, after the end. */
    public function start(): void
    {
        ob_start($this->take, self::CHUNK);
        $this->level = ob_get_level();
    }

    /** @return ?string what was printed; null when it was too much: a part of it might look like the whole */
    public function end(): ?string
    {
        // A buffer may have been made one that cannot be ended.
        while (ob_get_level() >= $this->level && @ob_end_flush()) {
            continue;
        }
        $printed = $this->tooLarge ? null : $this->kept;
        $this->kept = '';
        $this->tooLarge = false;
        return $printed;
    }

    /**
     * Ends all output buffers, and drops what is in them.
     *
     * @return bool false when one of them cannot be ended
     */
    public static function endAll(): bool
    {
        while (ob_get_level() > 0 && @ob_end_clean()) {
            continue;
        }
        return ob_get_level() === 0;
    }

    /**
     * From here on nothing that is printed goes out. After the end of an answer php-fpm would send it all the same, and on a
     * connection that is used again it is the beginning of the next message's answer.
     */
    public static function drop(): void
    {
        ob_start(static fn (): string => '', self::CHUNK);
    }

    private function take(string $printed, int $phase): string
    {
        if (($phase & PHP_OUTPUT_HANDLER_CLEAN) !== 0) {
            // ob_clean(), ob_end_clean(): the handler takes back what it has printed.
            $this->kept = '';
            $this->tooLarge = false;
        } elseif ($this->tooLarge || strlen($this->kept) + strlen($printed) > $this->limit) {
            $this->kept = '';
            $this->tooLarge = true;
        } else {
            $this->kept .= $printed;
        }
        return '';
    }
}
