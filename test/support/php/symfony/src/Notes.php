<?php

declare(strict_types=1);

namespace App;

/** Lines of JSON in a folder that the test reads. */
final class Notes
{
    /** @param array<mixed> $note */
    public static function write(string $name, array $note): void
    {
        $line = json_encode($note, JSON_THROW_ON_ERROR) . "\n";
        file_put_contents(getenv('NOTES') . "/{$name}", $line, FILE_APPEND | LOCK_EX);
    }
}
