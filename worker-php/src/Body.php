<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use JsonException;

/**
 * The body of a request, read when it is asked for, and decoded by its content type.
 *
 * @internal
 */
final class Body
{
    private const FORM = 'application/x-www-form-urlencoded';
    private const MULTIPART = 'multipart/form-data';

    public function __construct(private readonly Params $params, private readonly Input $input)
    {
    }

    public function bytes(): string
    {
        return $this->input->bytes();
    }

    /**
     * PHP runs the script also with a part of the body, or with nothing of it: when its temporary folder is full, or when
     * the sender went away in the middle.
     *
     * @throws Retry when that has happened
     */
    public function requireWhole(): void
    {
        $sent = $this->params->integer('AMQP_BODY_LENGTH') ?? $this->params->integer('CONTENT_LENGTH') ?? 0;
        $received = $this->input->length($sent);
        $isWhole = $received >= $sent
            || ($received === 0 && $this->mediaType() === self::MULTIPART && $this->input->isTakenApart());
        if (!$isWhole) {
            $folder = ini_get('upload_tmp_dir') ?: sys_get_temp_dir();
            throw new Retry(
                null,
                "not executed: of its body's {$sent} bytes PHP has {$received}. Its temporary folder, {$folder}, is full or "
                . 'cannot be written, or the sender went away',
            );
        }
    }

    /** @throws InvalidMessage */
    public function decoded(): mixed
    {
        $mediaType = $this->mediaType();
        if ($mediaType === self::FORM) {
            return $this->form();
        }
        if ($mediaType === 'application/json' || str_ends_with($mediaType, '+json')) {
            return $this->json();
        }
        throw new InvalidMessage(
            "the content type is '{$this->params->text('CONTENT_TYPE')}', and payload() decodes JSON and forms only: use body(), or publish "
            . 'with the content type application/json',
        );
    }

    private function mediaType(): string
    {
        return strtolower(trim(explode(';', $this->params->texts['CONTENT_TYPE'] ?? '', 2)[0]));
    }

    /**
     * PHP drops what is beyond its limits and runs the script all the same. A part of a message is not the message.
     *
     * @return array<mixed>
     */
    private function form(): array
    {
        $daemonId = $this->params->texts['AMQP_DAEMON_ID'] ?? '';
        $body = $this->input->bytes();
        // With --payload raw a publisher may have sent a form of its own, in which a name may well come twice.
        $fields = $this->input->post();
        if (!str_contains("&{$body}&", '&daemonId=' . urlencode($daemonId) . '&')) {
            return $fields;
        }
        $sent = substr_count($body, '&') + 1;
        $kept = count($fields) < $sent ? self::leaves($fields) : $sent;
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
        unset($fields['daemonId']);
        return $fields;
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
