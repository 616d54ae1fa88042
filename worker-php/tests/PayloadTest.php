<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Tests;

use FpmBridge\Worker\InvalidMessage;
use FpmBridge\Worker\Message;
use PHPUnit\Framework\TestCase;

final class PayloadTest extends TestCase
{
    public function testAFormIsItsFieldsWithoutTheDaemonsId(): void
    {
        $body = 'number=7&tags%5B0%5D=a&tags%5B1%5D=b&daemonId=D-1f3a9c02';
        $message = Request::form($body);
        self::assertSame(['number' => '7', 'tags' => ['a', 'b']], $message->payload());
        self::assertSame($body, $message->body());
    }

    public function testAListStaysAList(): void
    {
        self::assertSame(['x', 'y'], Request::form('0=x&1=y&daemonId=D-1f3a9c02')->payload());
    }

    public function testADaemonIdWithEscapesIsRecognised(): void
    {
        $message = Request::form('a=1&daemonId=D%2F1+%C3%A4', ['AMQP_DAEMON_ID' => 'D/1 ä']);
        self::assertSame(['a' => '1'], $message->payload());
    }

    public function testAFormOfThePublishersOwnStaysAsItIs(): void
    {
        // --payload raw: nobody has added anything, and a name may come twice.
        self::assertSame(['a' => '2', 'daemonId' => 'mine'], Request::form('a=1&a=2&daemonId=mine')->payload());
    }

    public function testAFormOfWhichPhpHasDroppedAPartIsRefused(): void
    {
        $dropped = [
            'too many fields' => [['a' => '1'], 'a=1&b=2&daemonId=D-1f3a9c02'],
            'too large' => [[], 'a=1&daemonId=D-1f3a9c02'],
            'names that become one' => [['a_b' => '2', 'daemonId' => 'D-1f3a9c02'], 'a.b=1&a_b=2&daemonId=D-1f3a9c02'],
        ];
        foreach ($dropped as $what => [$post, $body]) {
            $text = self::refusalOf(Request::message([], $post, $body));
            self::assertStringContainsString('dropped a part of the form', $text, $what);
            self::assertStringContainsString(ini_get('max_input_vars') . ' fields (max_input_vars)', $text, $what);
        }
    }

    public function testJsonIsDecodedByItsContentType(): void
    {
        foreach (['application/json', 'Application/JSON; charset=utf-8', 'application/ld+json'] as $contentType) {
            $message = Request::json('{"a":{"b":[1,2.5,null]}}', ['CONTENT_TYPE' => $contentType]);
            self::assertSame(['a' => ['b' => [1, 2.5, null]]], $message->payload(), $contentType);
        }
    }

    public function testJsonKeepsTheDigitsOfLargeIntegers(): void
    {
        $payload = Request::json('[9223372036854775807, 9223372036854775808]')->payload();
        self::assertSame([PHP_INT_MAX, '9223372036854775808'], $payload);
    }

    public function testWhatIsNoJsonIsRefusedWithTheReason(): void
    {
        self::assertSame('the body is no JSON: Syntax error', self::refusalOf(Request::json('{')));
        self::assertSame(
            "the body is no JSON: Syntax error (its content encoding is 'gzip')",
            self::refusalOf(Request::json('{', ['AMQP_CONTENT_ENCODING' => 'gzip'])),
        );
    }

    public function testOtherContentTypesAreReadAsBytes(): void
    {
        $message = Request::json("\x00\xff", ['CONTENT_TYPE' => 'application/octet-stream']);
        self::assertSame("\x00\xff", $message->body());
        self::assertStringContainsString("is 'application/octet-stream'", self::refusalOf($message));
    }

    public function testHeadersThatAreNoTableAreRefused(): void
    {
        foreach (['{', '"text"'] as $headers) {
            try {
                Request::message(['AMQP_HEADERS' => $headers]);
                self::fail("The headers {$headers} were taken.");
            } catch (InvalidMessage $refusal) {
                self::assertStringStartsWith('AMQP_HEADERS is', $refusal->getMessage());
            }
        }
    }

    private static function refusalOf(Message $message): string
    {
        try {
            $message->payload();
        } catch (InvalidMessage $refusal) {
            return $refusal->getMessage();
        }
        self::fail('The payload was read.');
    }
}
