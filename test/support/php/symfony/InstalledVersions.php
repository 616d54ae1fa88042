<?php

declare(strict_types=1);

namespace Composer;

/** What composer generates. The distribution's packages are none of composer's: what is there, is there to stay. */
final class InstalledVersions
{
    public static function isInstalled(string $package, bool $includeDevRequirements = true): bool
    {
        return false;
    }
}
