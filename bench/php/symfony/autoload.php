<?php

declare(strict_types=1);

(require dirname(__DIR__) . '/own-classes.php')(__DIR__ . '/src');
require dirname(__DIR__, 3) . '/test/support/php/symfony/autoload.php';
