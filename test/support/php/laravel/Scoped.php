<?php

declare(strict_types=1);

namespace App;

use Illuminate\Support\Facades\Facade;

/** The facade of the scoped counter of app.php. */
final class Scoped extends Facade
{
    protected static function getFacadeAccessor(): string
    {
        return 'counter.scoped';
    }
}
