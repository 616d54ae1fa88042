<?php

declare(strict_types=1);

namespace App;

/** Laravel's LogManager takes Monolog; of it, what a queue needs. With LOG_NOTES in the environment, it is noted. */
final class Log
{
    /** @param array<string, mixed> $context */
    public function shareContext(array $context): void
    {
        self::note('shareContext', $context);
    }

    public function flushSharedContext(): void
    {
        self::note('flushSharedContext');
    }

    public function withoutContext(): void
    {
        self::note('withoutContext');
    }

    /** Laravel 8 empties the context of the default channel. */
    public function driver(): self
    {
        return $this;
    }

    /** @param array<string, mixed> $more */
    private static function note(string $event, array $more = []): void
    {
        if (getenv('LOG_NOTES') !== false) {
            Notes::add($event, $more);
        }
    }
}
