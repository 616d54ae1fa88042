<?php

declare(strict_types=1);

/* Stands for composer's vendor/autoload.php: Debian's Symfony, worker-php and the classes beside this file. */

require_once '/usr/share/php/Symfony/Bundle/FrameworkBundle/autoload.php';
// Symfony 5.4's autoload.php of Messenger would load the bridge, 6.4's leaves it out.
foreach (['Messenger', 'Messenger/Bridge/Amqp', 'PropertyAccess', 'Serializer', 'Yaml'] as $component) {
    require_once "/usr/share/php/Symfony/Component/{$component}/autoload.php";
}
require_once __DIR__ . '/../../../../worker-php/autoload.php';
// From 6.0 on, the container asks it whether a component will be there.
class_exists(Composer\InstalledVersions::class) || require __DIR__ . '/InstalledVersions.php';

spl_autoload_register(static function (string $class): void {
    $file = __DIR__ . '/src/' . substr($class, strlen('App\\')) . '.php';
    if (str_starts_with($class, 'App\\') && is_file($file)) {
        require $file;
    }
});
