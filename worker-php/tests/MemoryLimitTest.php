<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Tests;

use FpmBridge\Worker\MemoryLimit;
use PHPUnit\Framework\TestCase;

final class MemoryLimitTest extends TestCase
{
    private string $before;

    protected function setUp(): void
    {
        $this->before = (string) ini_get('memory_limit');
    }

    protected function tearDown(): void
    {
        ini_set('memory_limit', $this->before);
    }

    /** @dataProvider limits */
    public function testIsHalfOfWhatPhpAllows(string $limit, ?int $expected): void
    {
        ini_set('memory_limit', $limit);
        $limit = new MemoryLimit(null);
        $kept = str_repeat('x', 140 << 20);
        $excess = $limit->excess();
        self::assertSame(140 << 20, strlen($kept));
        if ($expected === null) {
            self::assertNull($excess);
        } else {
            self::assertMatchesRegularExpression("/^\\d+ bytes are in use, and the limit is {$expected}$/", (string) $excess);
        }
    }

    /** @return array<array{string, ?int}> */
    public static function limits(): array
    {
        return [['-1', null], ['1G', null], ['200M', 100 << 20], ['200m', 100 << 20], ['204800K', 100 << 20], ['209715200', 100 << 20]];
    }

    public function testOwnLimit(): void
    {
        self::assertNotNull((new MemoryLimit(0))->excess());
        self::assertNull((new MemoryLimit(PHP_INT_MAX))->excess());
    }
}
