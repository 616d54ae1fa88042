<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Tests;

use FpmBridge\Worker\Forbidden;
use FpmBridge\Worker\InvalidMessage;
use FpmBridge\Worker\Message;
use PHPUnit\Framework\TestCase;

final class MessageTest extends TestCase
{
    public function testReadsEveryParam(): void
    {
        $message = Request::message([
            'AMQP_EXCHANGE' => 'orders',
            'AMQP_ROUTING_KEY' => 'orders.paid',
            'AMQP_REDELIVERED' => '1',
            'AMQP_ATTEMPT' => '3',
            'AMQP_DEADLINE' => '1900000000',
            'AMQP_TIMEOUT' => '1500',
            'AMQP_CORRELATION_ID' => 'c-1',
            'AMQP_REPLY_TO' => 'answers',
            'AMQP_TYPE' => 'invoice',
            'AMQP_APP_ID' => 'shop',
            'AMQP_USER_ID' => 'guest',
            'AMQP_CONTENT_ENCODING' => 'gzip',
            'AMQP_TIMESTAMP' => '1700000000',
            'AMQP_EXPIRATION' => '60000',
            'AMQP_PRIORITY' => '0',
            'AMQP_DELIVERY_MODE' => '2',
            'AMQP_HEADERS' => '{"tenant":"acme","deaths":[{"count":2}],"big":12345678901234567890}',
        ]);
        self::assertSame(
            [
                'executionId' => 'e6b1a1f2-0000-4000-8000-000000000001',
                'daemonId' => 'D-1f3a9c02',
                'queue' => 'commands',
                'exchange' => 'orders',
                'routingKey' => 'orders.paid',
                'originalExchange' => 'orders',
                'originalRoutingKey' => 'orders.paid',
                'consumerTag' => 'D-1f3a9c02',
                'redelivered' => true,
                'attempt' => 3,
                'maxAttempts' => 5,
                'repeatable' => true,
                'deadline' => 1900000000,
                'timeout' => 1500.0,
                'headers' => ['tenant' => 'acme', 'deaths' => [['count' => 2]], 'big' => '12345678901234567890'],
                'contentType' => 'application/x-www-form-urlencoded',
                'messageId' => 'm-1',
                'correlationId' => 'c-1',
                'replyTo' => 'answers',
                'type' => 'invoice',
                'appId' => 'shop',
                'userId' => 'guest',
                'contentEncoding' => 'gzip',
                'timestamp' => 1700000000,
                'expiration' => 60000,
                'priority' => 0,
                'deliveryMode' => 2,
            ],
            get_object_vars($message),
        );
    }

    public function testWhatTheMessageDoesNotHaveIsNull(): void
    {
        $message = Request::message(['AMQP_MESSAGE_ID' => null]);
        self::assertNull($message->messageId);
        self::assertNull($message->timestamp);
        self::assertNull($message->deadline);
        self::assertNull($message->timeout);
        self::assertSame(0, $message->secondsBehind());
        self::assertNull($message->secondsLeft());
        self::assertSame([], $message->headers);
    }

    public function testWhatIsNoIntegerOf64BitsIsNull(): void
    {
        self::assertNull(Request::message(['AMQP_TIMESTAMP' => '18446744073709552000'])->timestamp);
        self::assertNull(Request::message(['AMQP_EXPIRATION' => 'soon'])->expiration);
    }

    public function testKnowsItsLastAttempt(): void
    {
        $last = static fn (string $attempt): bool => Request::message(['AMQP_ATTEMPT' => $attempt])->isLastAttempt();
        self::assertSame([false, true], [$last('4'), $last('5')]);
    }

    public function testSecondsLeftEndAtTheDeadline(): void
    {
        $left = static fn (int $in): ?int => Request::message(['AMQP_DEADLINE' => (string) (time() + $in)])->secondsLeft();
        self::assertEqualsWithDelta(60, $left(60), 1);
        self::assertSame(0, $left(-60));
    }

    public function testARequestThatIsNotTheBridgesIsRefused(): void
    {
        foreach (['AMQP_EXECUTION_ID', 'AMQP_DAEMON_ID', 'AMQP_QUEUE'] as $name) {
            // A web server hands over any header of a request, under this prefix.
            $params = ["HTTP_{$name}" => 'forged'] + array_diff_key(Request::PARAMS, [$name => true]);
            self::assertStringContainsString("no {$name}", self::refusalOf($params));
            self::assertStringContainsString("no {$name}", self::refusalOf([$name => ''] + Request::PARAMS));
        }
        self::assertStringContainsString(
            'the method of this one is GET',
            self::refusalOf(['REQUEST_METHOD' => 'GET'] + Request::PARAMS),
        );
    }

    private static function refusalOf(array $params): string
    {
        try {
            Message::fromArrays($params);
        } catch (Forbidden $refusal) {
            return $refusal->getMessage();
        }
        self::fail('The request was taken for one of the bridge.');
    }

    public function testOfAStreamAFormIsParsedHere(): void
    {
        $params = Request::PARAMS;
        $body = 'a%5Bb%5D=1&c.d=2&daemonId=D-1f3a9c02';
        self::assertSame(['a' => ['b' => '1'], 'c_d' => '2'], Message::fromStream($params, $body)->payload());
        self::assertSame($body, Message::fromStream($params, $body)->body());
    }

    public function testOfAStreamWhatPhpDropsOfAFormIsNoticedWithoutAWarning(): void
    {
        $fields = implode('&', array_map(static fn (int $number): string => "f{$number}=1", range(1, 1_000)));
        $message = Message::fromStream(Request::PARAMS, "{$fields}&daemonId=D-1f3a9c02");
        $this->expectException(InvalidMessage::class);
        $this->expectExceptionMessage('1001 fields were sent, 1000 are left');
        $message->payload();
    }
}
