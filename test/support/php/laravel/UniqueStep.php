<?php

declare(strict_types=1);

namespace App;

use Illuminate\Contracts\Queue\ShouldBeUnique;

final class UniqueStep extends Step implements ShouldBeUnique
{
    public function uniqueId(): string
    {
        return $this->name;
    }
}
