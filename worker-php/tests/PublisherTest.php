<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Tests;

use FpmBridge\Worker\Properties;
use FpmBridge\Worker\Publisher;
use InvalidArgumentException;
use PHPUnit\Framework\TestCase;

/** What needs no broker; the rest is in test/integration/worker-php.publisher.test.ts. */
final class PublisherTest extends TestCase
{
    public function testAMessageIsPersistentAndHasAnIdAndATime(): void
    {
        $properties = Properties::complete([], 'application/json');
        self::assertMatchesRegularExpression(
            '/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/D',
            $properties['message_id'],
        );
        self::assertEqualsWithDelta(time(), $properties['timestamp'], 1);
        self::assertSame([2, 'application/json'], [$properties['delivery_mode'], $properties['content_type']]);
        self::assertNotSame($properties['message_id'], Properties::complete([], null)['message_id']);
        self::assertSame('application/octet-stream', Properties::complete([], null)['content_type']);
    }

    public function testWhatIsGivenComesFirst(): void
    {
        $given = ['message_id' => 'm-1', 'expiration' => 60_000, 'priority' => '3', 'content_type' => 'text/plain'];
        $properties = Properties::complete($given, 'application/json');
        self::assertSame(['message_id' => 'm-1', 'expiration' => '60000', 'priority' => 3], array_slice($properties, 0, 3));
        self::assertSame('text/plain', $properties['content_type']);
    }

    public function testRefusesWhatAmqpHasNoRoomFor(): void
    {
        $refused = [
            "no property 'messageId'" => ['messageId' => 'm'],
            'type has 1 to 255 bytes' => ['type' => str_repeat('x', 256)],
            'message_id has 1 to 255 bytes' => ['message_id' => ''],
            'priority is an integer' => ['priority' => 'high'],
            'timestamp is an integer' => ['timestamp' => -1],
        ];
        foreach ($refused as $text => $given) {
            self::assertStringContainsString($text, self::refusalOf(fn () => Properties::complete($given, null)));
        }
    }

    public function testRefusesSettingsThatCannotBeMeant(): void
    {
        $refused = [
            'amqp://user:password@host:port/vhost' => fn () => new Publisher('http://127.0.0.1/'),
            'has a query' => fn () => new Publisher('amqp://127.0.0.1/?heartbeat=5'),
            'classic or quorum' => fn () => new Publisher(queueType: 'stream'),
            '1 to 255 bytes' => fn () => new Publisher(queue: ''),
            'more than 0 seconds' => fn () => new Publisher(timeout: 0.0),
        ];
        foreach ($refused as $text => $make) {
            self::assertStringContainsString($text, self::refusalOf($make));
        }
    }

    public function testNoErrorShowsThePassword(): void
    {
        self::assertStringNotContainsString('s3cret', self::refusalOf(fn () => new Publisher('amqp://me:s3cret@')));
    }

    private static function refusalOf(callable $attempt): string
    {
        try {
            $attempt();
        } catch (InvalidArgumentException $refusal) {
            return $refusal->getMessage();
        }
        self::fail('It was taken.');
    }
}
