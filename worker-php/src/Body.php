<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use Closure;
use JsonException;

/**
 * The body of a request, read when it is asked for, and decoded by its content type.
 *
 * @internal
 */
final class Body
{
    private const FORM = 'application/x-www-form-urlencoded';

    private readonly Closure $read;

    /**
     * @param array<mixed>       $post as $_POST
     * @param callable(): string $read returns all bytes, each time it is called
     */
    public function __construct(private readonly Params $params, private readonly array $post, callable $read)
    {
        $this->read = Closure::fromCallable($read);
    }

    public function bytes(): string
    {
        return ($this->read)();
    }

    /** @throws InvalidMessage */
    public function decoded(): mixed
    {
        $contentType = $this->params->text('CONTENT_TYPE') ?? '';
        $mediaType = strtolower(trim(explode(';', $contentType, 2)[0]));
        if ($mediaType === self::FORM) {
            return $this->form();
        }
        if ($mediaType === 'application/json' || str_ends_with($mediaType, '+json')) {
            return $this->json();
        }
        throw new InvalidMessage(
            "the content type is '{$contentType}', and payload() decodes JSON and forms only: use body(), or publish "
            . 'with the content type application/json',
        );
    }

    /**
     * PHP drops what is beyond its limits and runs the script all the same. A part of a message is not the message.
     *
     * @return array<mixed>
     */
    private function form(): array
    {
        $daemonId = $this->params->text('AMQP_DAEMON_ID') ?? '';
        $body = $this->bytes();
        // With --payload raw a publisher may have sent a form of its own, in which a name may well come twice.
        if (preg_match('/(?:^|&)daemonId=' . preg_quote(urlencode($daemonId), '/') . '(?:&|$)/D', $body) !== 1) {
            return $this->post;
        }
        $sent = substr_count($body, '&') + 1;
        $kept = self::leaves($this->post);
        if ($kept < $sent) {
            throw new InvalidMessage(
                "PHP has dropped a part of the form: {$sent} fields were sent, {$kept} are left. Its limits are "
                . ini_get('post_max_size') . ' bytes (post_max_size), '
                . ini_get('max_input_vars') . ' fields (max_input_vars) and '
                . ini_get('max_input_nesting_level') . ' levels (max_input_nesting_level), and names that differ in '
                . 'dots, spaces and underscores only become one. Raise the limits of the pool, or run the daemon with '
                . '--payload raw',
            );
        }
        return array_diff_key($this->post, ['daemonId' => true]);
    }

    /** @param array<mixed> $fields */
    private static function leaves(array $fields): int
    {
        $count = 0;
        foreach ($fields as $field) {
            $count += is_array($field) ? self::leaves($field) : 1;
        }
        return $count;
    }

    private function json(): mixed
    {
        try {
            return json_decode($this->bytes(), true, 512, JSON_THROW_ON_ERROR | JSON_BIGINT_AS_STRING);
        } catch (JsonException $error) {
            $encoding = $this->params->text('AMQP_CONTENT_ENCODING');
            $hint = $encoding === null ? '' : " (its content encoding is '{$encoding}')";
            throw new InvalidMessage("the body is no JSON: {$error->getMessage()}{$hint}", 0, $error);
        }
    }
}
