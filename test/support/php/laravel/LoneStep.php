<?php

declare(strict_types=1);

namespace App;

use Illuminate\Queue\Middleware\WithoutOverlapping;

/** Is released for 30 seconds while another of its name runs. */
final class LoneStep extends Step
{
    /** @return list<object> */
    public function middleware(): array
    {
        return [self::overlapping($this->name)];
    }

    public static function overlapping(string $name): WithoutOverlapping
    {
        return (new WithoutOverlapping($name))->releaseAfter(30);
    }
}
