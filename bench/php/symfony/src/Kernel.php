<?php

declare(strict_types=1);

namespace App;

use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Component\HttpKernel\Kernel as BaseKernel;

/** That of Symfony's own skeleton: everything is in config/. */
final class Kernel extends BaseKernel
{
    use MicroKernelTrait;

    /** Of the script in bin/: the bench makes the folder anew for each run. */
    public function getProjectDir(): string
    {
        return dirname((string) $_SERVER['SCRIPT_FILENAME'], 2);
    }
}
