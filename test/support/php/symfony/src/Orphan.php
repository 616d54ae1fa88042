<?php

declare(strict_types=1);

namespace App;

/** A message that no handler is for. */
final class Orphan
{
    public function __construct(public string $do, public string $bytes = '')
    {
    }
}
