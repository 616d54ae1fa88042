<?php

declare(strict_types=1);

namespace App;

use FpmBridge\Worker\Hold;
use Illuminate\Bus\Queueable;
use Illuminate\Container\Container;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Queue\InteractsWithQueue;
use RuntimeException;
use Throwable;

/** A job that notes that it is executed, and does at its first attempt the first of its list, and so on. */
class Step implements ShouldQueue
{
    use InteractsWithQueue;
    use Queueable;

    public ?int $tries = null;
    public ?int $maxExceptions = null;
    public ?int $timeout = null;
    public ?int $retryUntil = null;

    /** @var int|list<int>|null seconds */
    public int|array|null $backoff = null;

    /** @param list<string> $does */
    final public function __construct(public string $name, private readonly array $does = ['return'])
    {
    }

    public function handle(): void
    {
        Notes::add('handle', ['name' => $this->name, 'attempt' => $this->attempts()]);
        [$what, $number] = explode(' ', $this->does[$this->attempts() - 1] ?? 'return') + [1 => '0'];
        match ($what) {
            'return' => null,
            'throw' => throw new RuntimeException('not today'),
            'release' => $this->release((int) $number),
            'release-and-throw' => [$this->release((int) $number), throw new RuntimeException('not today')],
            'hold' => throw new Hold((int) $number, 'the database is away'),
            'delete-and-hold' => [$this->delete(), throw new Hold()],
            'delete' => $this->delete(),
            'delete-and-throw' => [$this->delete(), throw new RuntimeException('not today')],
            'fail' => $this->fail(new RuntimeException('no such invoice')),
            'give-up' => $this->fail(),
            'lose-connection' => throw new RuntimeException('SQLSTATE[HY000]: General error: 2006 MySQL server has gone away'),
            'count' => self::count(),
            'leave-timezone' => date_default_timezone_set('Asia/Tokyo'),
            'compute' => self::compute((int) $number),
            'exit' => exit('done'),
            'fatal' => self::dieOfFatalError(),
            'memory' => self::takeAllMemory(),
            'loop' => self::loop(),
        };
    }

    public function failed(?Throwable $error): void
    {
        Notes::add('failed', ['name' => $this->name, 'error' => $error === null ? null : get_class($error)]);
        if (in_array('failed() throws', $this->does, true)) {
            throw new RuntimeException('nobody to tell');
        }
    }

    private static function count(): void
    {
        Notes::add('count', [
            'scoped' => Scoped::next(),
            'single' => Container::getInstance()->make('counter.single')->next(),
            'timezone' => date_default_timezone_get(),
        ]);
    }

    /** Uses up so many milliseconds of CPU time. */
    private static function compute(int $milliseconds): void
    {
        $used = static function (): float {
            $usage = getrusage();
            return 1_000 * ($usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec'])
                + ($usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec']) / 1_000;
        };
        for ($end = $used() + $milliseconds; $used() < $end;) {
            hash('sha256', str_repeat('x', 1 << 20));
        }
    }

    /** After output that a pool with display_errors would take for the answer. */
    private static function dieOfFatalError(): never
    {
        echo 'done';
        while (ob_get_level() > 0) {
            ob_end_flush();
        }
        flush();
        eval('abstract class A { abstract function f(); } class B extends A {}');
        exit;
    }

    private static function takeAllMemory(): never
    {
        for ($all = '';;) {
            $all .= str_repeat('x', 1 << 20);
        }
    }

    private static function loop(): never
    {
        while (true);
    }
}
