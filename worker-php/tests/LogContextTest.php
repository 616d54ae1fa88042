<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Tests;

use ArrayObject;
use FpmBridge\Worker\Current;
use FpmBridge\Worker\Symfony\LogContext;
use PHPUnit\Framework\TestCase;

final class LogContextTest extends TestCase
{
    private const IDS = ['AMQP_EXECUTION_ID' => 'e-1', 'AMQP_MESSAGE_ID' => 'm-1'];

    protected function tearDown(): void
    {
        $_SERVER = array_diff_key($_SERVER, self::IDS);
        Current::set(null);
    }

    public function testNamesTheExecutionAndTheMessage(): void
    {
        $_SERVER = [...$_SERVER, ...self::IDS];
        $record = ['message' => 'x', 'extra' => ['url' => '/']];
        $expected = ['url' => '/', 'execution_id' => 'e-1', 'message_id' => 'm-1'];
        self::assertSame($expected, (new LogContext())($record)['extra']);
        // Monolog 3 has objects.
        self::assertSame($expected, (new LogContext())(new ArrayObject($record))['extra']);
    }

    public function testOfManyMessagesInOneRequestNamesTheOneAtHand(): void
    {
        $_SERVER = [...$_SERVER, ...self::IDS];
        $context = new LogContext();
        $ids = ['AMQP_EXECUTION_ID' => 'e-2', 'AMQP_MESSAGE_ID' => 'm-2'];
        Current::set(Request::message($ids));
        self::assertSame(['execution_id' => 'e-2', 'message_id' => 'm-2'], $context(['extra' => []])['extra']);
    }

    public function testOfOtherRequestsItSaysNothing(): void
    {
        self::assertSame(['extra' => []], (new LogContext())(['extra' => []]));
    }
}
