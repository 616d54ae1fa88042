<?php

declare(strict_types=1);

namespace App;

/** The message of the tests: what its handler is to do. */
class Task
{
    public function __construct(public string $do, public string $bytes = '')
    {
    }
}
