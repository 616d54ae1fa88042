<?php

declare(strict_types=1);

namespace App;

/** Counts how often it is asked, from 1. */
final class Counter
{
    private int $number = 0;

    public function next(): int
    {
        return $this->number += 1;
    }
}
