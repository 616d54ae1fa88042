<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * A request that carries many messages, as its params say. docs/protocol.md has them.
 *
 * @internal
 */
final class StreamRequest
{
    /** The param that makes a request one of these. */
    public const VERSION = 'FPM_BRIDGE_STREAM';

    private const NONCE = 'FPM_BRIDGE_NONCE';
    private const LEASE = 'FPM_BRIDGE_LEASE';
    private const SUPPORTED = '1';

    /**
     * @param array<string, string> $params what messages have in common
     * @param int                  $lease  nanoseconds
     */
    private function __construct(
        public readonly Stream $stream,
        public readonly array $params,
        public readonly int $lease,
    ) {
    }

    /** @return ?self null when it cannot be served; the answer is out then */
    public static function begin(): ?self
    {
        $params = Params::of($_SERVER);
        $nonce = $params->text(self::NONCE) ?? '';
        $lease = $params->integer(self::LEASE) ?? -1;
        // The handler may print $_SERVER. After this, nothing that it prints looks like a frame.
        unset($_SERVER[self::NONCE], $_ENV[self::NONCE]);
        $fault = match (true) {
            $params->text(self::VERSION) !== self::SUPPORTED => "the daemon speaks version {$params->text(self::VERSION)} of "
                . 'the message stream, and this package version ' . self::SUPPORTED . ' alone: install the package that came '
                . 'with the daemon, or run it with --messages-per-request 1',
            preg_match('/^[0-9a-f]{32}$/D', $nonce) !== 1 => self::NONCE . ' is missing: was the worker run twice?',
            $lease < 0 => self::LEASE . ' has to be a number of milliseconds',
            !self::clearTheWay() => 'an output buffer is open that cannot be ended (' . implode(', ', ob_list_handlers()) . ')',
            default => null,
        };
        if ($fault !== null) {
            self::refuse("not executed: {$fault}");
            return null;
        }
        return new self(new Stream($nonce), self::common($params->texts), $lease * 1_000_000);
    }

    /** From here on, what is printed goes straight out; and a session asks for no header, since they are out at the hello. */
    private static function clearTheWay(): bool
    {
        if (!headers_sent()) {
            header('Content-Type: application/octet-stream');
            if (function_exists('session_status') && session_status() === PHP_SESSION_NONE) {
                ini_set('session.use_cookies', '0');
                ini_set('session.cache_limiter', '');
            }
        }
        $isClear = Output::endAll();
        @ini_set('zlib.output_compression', '0');
        return $isClear;
    }

    /**
     * A message has its own length and type. Nothing but AMQP_* is asked for beside them.
     *
     * @param array<string, string> $params
     * @return array<string, string>
     */
    private static function common(array $params): array
    {
        $isOurs = static fn (int|string $name): bool => str_starts_with((string) $name, 'AMQP_');
        // PUT is how the stream comes; each message stands for a POST.
        return ['REQUEST_METHOD' => 'POST'] + array_filter($params, $isOurs, ARRAY_FILTER_USE_KEY);
    }

    /** Answers in place of a hello: no message is sent then. */
    public static function refuse(string $reason): void
    {
        Log::write("fpm-bridge: {$reason}");
        if (!headers_sent()) {
            http_response_code(500);
            header('X-Bridge-Outcome: retry');
        }
        // Without it, php-fpm keeps the answer until the daemon has ended its side.
        echo "{$reason}\n";
        flush();
    }
}
