<?php

declare(strict_types=1);

/* Stands for composer's vendor/autoload.php: Debian's Symfony, worker-php and the classes beside this file. */

require_once '/usr/share/php/Symfony/Bundle/FrameworkBundle/autoload.php';
foreach (['Messenger', 'PropertyAccess', 'Serializer', 'Yaml'] as $component) {
    require_once "/usr/share/php/Symfony/Component/{$component}/autoload.php";
}
require_once __DIR__ . '/../../../../worker-php/autoload.php';

spl_autoload_register(static function (string $class): void {
    $file = __DIR__ . '/src/' . substr($class, strlen('App\\')) . '.php';
    if (str_starts_with($class, 'App\\') && is_file($file)) {
        require $file;
    }
});
