<?php

declare(strict_types=1);

namespace App;

/** What happened to the jobs, one line of JSON for each event. */
final class Notes
{
    /** @param array<string, mixed> $more */
    public static function add(string $event, array $more = []): void
    {
        $line = json_encode(['event' => $event, ...$more], JSON_THROW_ON_ERROR);
        file_put_contents(getenv('APP_FOLDER') . '/notes', "{$line}\n", FILE_APPEND);
    }
}
