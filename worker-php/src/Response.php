<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use LogicException;

/**
 * The headers of the answer that php-fpm sends. They say failure from the first moment, and success only when somebody
 * has said so: an exit, a fatal error, the end of memory or of time, and a flush in the middle of the work find failure
 * there. A callback of PHP puts them back right before they are sent, whatever a handler has done to them.
 *
 * @internal
 */
final class Response
{
    /** Functions of PHP that send the headers though nothing was printed: flush() from PHP 8.4 on. */
    private const SENDERS = ['flush', self::FINISH];
    private const FINISH = 'fastcgi_finish_request';

    /** Of these, which one did and where; null when it was another, or something printed. */
    private ?string $sender = null;

    private function __construct(private Answer $answer)
    {
    }

    /** @throws LogicException when the headers are out already: nothing can be said any more */
    public static function begin(): self
    {
        if (headers_sent($file, $line)) {
            $text = 'not executed: the answer has begun before the worker, ' . self::beginning($file, $line)
                . ', and no failure could be told from success any more';
            // The status is 200, without a marker. PHP's words for the end of a script the daemon takes for what they say.
            Log::write("PHP Fatal error:  fpm-bridge: {$text}");
            throw new LogicException($text);
        }
        $response = new self(Answer::failed('the worker has not come to its end'));
        $response->apply();
        header_register_callback($response->send(...));
        return $response;
    }

    /** PHP knows no place of what it has printed itself, before the script. */
    private static function beginning(string $file, int $line): string
    {
        if ($file !== '') {
            return "in {$file}:{$line}, with whatever was printed there, even an empty line";
        }
        $warning = error_get_last()['message'] ?? 'see display_errors and display_startup_errors';
        return "with what PHP has printed at its start ({$warning})";
    }

    /** @return ?string null when it worked; else where the headers went out before, with failure in them */
    public function become(Answer $answer): ?string
    {
        if (headers_sent($file, $line)) {
            // PHP knows a place only of what was printed.
            return $file === '' ? $this->sender ?? 'something' : "{$file}:{$line}";
        }
        $this->answer = $answer;
        $this->apply();
        return null;
    }

    /** What PHP calls right before the headers go out. */
    private function send(): void
    {
        $this->apply();
        foreach (debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS) as $call) {
            if (!isset($call['class']) && in_array($call['function'], self::SENDERS, true)) {
                $this->sender = $call['function'] . '()' . (isset($call['file']) ? " in {$call['file']}:{$call['line']}" : '');
                // It has ended all buffers before, and the answer ends with it.
                if ($call['function'] === self::FINISH) {
                    Output::drop();
                }
            }
        }
    }

    private function apply(): void
    {
        http_response_code($this->answer->status);
        self::set('X-Bridge-Outcome', $this->answer->marker);
        self::set('Retry-After', $this->answer->retryAfter);
        self::set('X-Bridge-Clock', $this->answer->clock);
    }

    private static function set(string $name, string|int|null $value): void
    {
        if ($value === null) {
            header_remove($name);
        } else {
            header("{$name}: {$value}");
        }
    }
}
