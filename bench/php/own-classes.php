<?php

declare(strict_types=1);

/*
 * For the vendor/autoload.php of an application of the bench, before that of the tests' application: its own classes come before
 * theirs.
 */

require_once __DIR__ . '/Work.php';

return static function (string $folder): void {
    spl_autoload_register(static function (string $class) use ($folder): void {
        if (!str_starts_with($class, 'App\\')) {
            return;
        }
        $file = $folder . '/' . substr($class, strlen('App\\')) . '.php';
        if (is_file($file)) {
            require $file;
        }
    });
};
