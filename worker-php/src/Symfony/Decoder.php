<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Symfony;

use FpmBridge\Worker\Message;
use FpmBridge\Worker\Reject;
use FpmBridge\Worker\Subject;
use LogicException;
use Symfony\Component\Messenger\Envelope;
use Symfony\Component\Messenger\Exception\MessageDecodingFailedException;
use Symfony\Component\Messenger\Transport\Serialization\PhpSerializer;
use Symfony\Component\Messenger\Transport\Serialization\SerializerInterface;

/**
 * Makes an envelope of a message, and tells the daemon which class it is of.
 *
 * @internal
 */
final class Decoder
{
    public function __construct(private readonly SerializerInterface $serializer)
    {
    }

    /**
     * @throws Reject         when the serializer cannot
     * @throws LogicException when the daemon has made a form of it
     */
    public function decode(Message $message): Envelope
    {
        // The JSON serializer names the class there: all that is known of a message that cannot be decoded.
        $type = $message->headers['type'] ?? $message->type;
        Subject::set(is_string($type) ? $type : '');
        if ($message->contentType === 'application/x-www-form-urlencoded') {
            // No fault of the message, so it is not rejected.
            throw new LogicException('the message came as a form: start the daemon with --payload raw');
        }
        try {
            $envelope = $this->serializer->decode(['body' => $message->body(), 'headers' => $message->headers]);
        } catch (MessageDecodingFailedException $error) {
            $hint = $this->hintAt($message);
            throw new Reject("it cannot be decoded: {$error->getMessage()}{$hint}", 0, $error);
        }
        Subject::set(get_class($envelope->getMessage()));
        return $envelope;
    }

    /** Of what is most likely wrong, when the serializer cannot decode it. */
    private function hintAt(Message $message): string
    {
        $start = ltrim(substr($message->body(), 0, 64));
        if ($this->serializer instanceof PhpSerializer) {
            return str_starts_with($start, '{') || str_starts_with($start, '[')
                ? ' (its body looks like JSON, and this is the serializer of serialize(): name that of the transport as'
                    . ' $serializer)'
                : '';
        }
        return match (true) {
            str_starts_with($start, 'O:') => ' (its body is of serialize(), and this is another serializer: name that of'
                . ' the transport as $serializer)',
            $message->headers === [] => ' (it has come without headers; those of more than 32 KiB the daemon leaves out)',
            default => '',
        };
    }
}
