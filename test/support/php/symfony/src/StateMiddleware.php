<?php

declare(strict_types=1);

namespace App;

use Symfony\Component\Messenger\Envelope;
use Symfony\Component\Messenger\Middleware\MiddlewareInterface;
use Symfony\Component\Messenger\Middleware\StackInterface;
use Symfony\Component\Messenger\Stamp\ConsumedByWorkerStamp;
use Symfony\Contracts\Service\ResetInterface;

/**
 * Notes how many messages it has seen: since services were reset, since it was made, and in this request. It has a connection as
 * Doctrine's middlewares would: pinged before a message of a worker, and closed after it. And it counts how many there are.
 */
final class StateMiddleware implements MiddlewareInterface, ResetInterface
{
    private static int $inRequest = 0;
    private static int $alive = 0;
    private int $sinceMade = 0;
    private int $sinceReset = 0;
    private int $connections = 0;
    private bool $isConnected = false;

    public function __construct()
    {
        self::$alive += 1;
    }

    public function __destruct()
    {
        self::$alive -= 1;
    }

    public function handle(Envelope $envelope, StackInterface $stack): Envelope
    {
        $isWorker = $envelope->last(ConsumedByWorkerStamp::class) !== null;
        if ($isWorker && !$this->isConnected) {
            $this->isConnected = true;
            $this->connections += 1;
        }
        Notes::write('states', [
            'do' => $envelope->getMessage()->do,
            'sinceReset' => $this->sinceReset += 1,
            'sinceMade' => $this->sinceMade += 1,
            'inRequest' => self::$inRequest += 1,
            'connection' => $this->connections,
            'alive' => self::$alive,
            'timezone' => date_default_timezone_get(),
            'errorHandler' => self::errorHandler(),
        ]);
        try {
            return $stack->next()->handle($envelope, $stack);
        } finally {
            $this->isConnected = $this->isConnected && !$isWorker;
        }
    }

    public function reset(): void
    {
        if (getenv('BROKEN_RESET') !== false) {
            throw new \RuntimeException('a service cannot be reset');
        }
        $this->sinceReset = 0;
    }

    private static function errorHandler(): string
    {
        $handler = set_error_handler(null);
        restore_error_handler();
        return is_array($handler) ? get_debug_type($handler[0]) : get_debug_type($handler);
    }
}
