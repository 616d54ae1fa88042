<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Tests;

use FpmBridge\Worker\Output;
use PHPUnit\Framework\TestCase;

final class OutputTest extends TestCase
{
    public function testKeepsWhatIsPrintedAndFlushed(): void
    {
        self::assertSame('one two three', $this->printed(100, static function (): void {
            echo 'one ';
            ob_flush();
            flush();
            ob_start();
            echo 'two ';
            ob_end_flush();
            ob_start(); // left open
            echo 'three';
        }));
    }

    public function testOfTooMuchItKeepsNothing(): void
    {
        $prints = static fn (int $bytes): callable => static fn (): int => print str_repeat('x', $bytes);
        self::assertSame(100_000, strlen((string) $this->printed(100_000, $prints(100_000))));
        self::assertNull($this->printed(100_000, $prints(100_001)));
    }

    public function testWhatIsTakenBackIsForgotten(): void
    {
        self::assertSame('rest', $this->printed(50_000, static function (): void {
            echo str_repeat('x', 60_000);
            ob_clean();
            echo 'rest';
        }));
    }

    public function testALoopThatEndsEveryBufferComesToItsEnd(): void
    {
        $level = ob_get_level();
        self::assertSame('one', $this->printed(100, static function () use ($level): void {
            echo 'one';
            while (ob_get_level() > $level) {
                ob_end_flush();
            }
        }));
    }

    private function printed(int $limit, callable $handler): ?string
    {
        $level = ob_get_level();
        $output = new Output($limit);
        $output->start();
        $handler();
        $printed = $output->end();
        self::assertSame($level, ob_get_level());
        return $printed;
    }
}
