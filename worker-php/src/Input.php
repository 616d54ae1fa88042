<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/**
 * The body of a request, as far as PHP has got it.
 *
 * @internal
 */
final class Input
{
    private const CHUNK = 65_536;
    private const CUT_OFF = [UPLOAD_ERR_PARTIAL, UPLOAD_ERR_NO_TMP_DIR, UPLOAD_ERR_CANT_WRITE];

    /**
     * @param ?string       $given null: php://input
     * @param ?array<mixed> $post  as $_POST; null: what PHP makes of the given bytes
     * @param array<mixed>  $files as $_FILES
     */
    private function __construct(
        private readonly ?string $given,
        private readonly ?array $post,
        private readonly array $files = [],
    ) {
    }

    /** That of the request which php-fpm is serving. */
    public static function fromGlobals(): self
    {
        return new self(null, $_POST, $_FILES);
    }

    /**
     * The same from given values, for tests.
     *
     * @param array<mixed> $post
     */
    public static function of(string $bytes, array $post): self
    {
        return new self($bytes, $post);
    }

    /** That of a message of a stream, which PHP has not looked at. */
    public static function ofFrame(string $bytes): self
    {
        return new self($bytes, null);
    }

    public function bytes(): string
    {
        return $this->given ?? (string) file_get_contents('php://input');
    }

    /**
     * The fields of a form, within the limits of PHP.
     *
     * @return array<mixed>
     */
    public function post(): array
    {
        if ($this->post !== null) {
            return $this->post;
        }
        // Of what is beyond max_input_vars it warns, which is the application's business in no case: Body counts.
        set_error_handler(static fn (): bool => true);
        parse_str((string) $this->given, $fields);
        restore_error_handler();
        return $fields;
    }

    /**
     * How many bytes have come, of as many as were sent. PHP counts what it has read before the script; with
     * enable_post_data_reading off it has read nothing, so that is done here. The bytes stay where PHP keeps them.
     */
    public function length(int $sent): int
    {
        if ($this->given !== null) {
            return strlen($this->given);
        }
        $input = fopen('php://input', 'r');
        fseek($input, 0, SEEK_END);
        if (ftell($input) < $sent) {
            while (!feof($input)) {
                fread($input, self::CHUNK);
            }
        }
        $length = ftell($input);
        fclose($input);
        return $length;
    }

    /**
     * Whether PHP has taken the body apart as multipart/form-data, and dropped it: php://input is empty. How long it was
     * nobody knows then; a file that was cut off says so, a field does not.
     */
    public function isTakenApart(): bool
    {
        if ($this->post() === [] && $this->files === []) {
            return false;
        }
        // A field named f[] has many files, and therefore an array of errors.
        $errors = array_column($this->files, 'error');
        $isWhole = true;
        array_walk_recursive($errors, static function (mixed $error) use (&$isWhole): void {
            $isWhole = $isWhole && !in_array($error, self::CUT_OFF, true);
        });
        return $isWhole;
    }
}
