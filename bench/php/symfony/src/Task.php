<?php

declare(strict_types=1);

namespace App;

final class Task
{
    public function __construct(public readonly string $does, public readonly string $number)
    {
    }
}
