<?php

declare(strict_types=1);

namespace App;

/** A message that is collected: see BatchHandler. */
final class Batched
{
    public function __construct(public string $do, public string $bytes = '')
    {
    }
}
