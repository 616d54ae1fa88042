<?php

declare(strict_types=1);

(require dirname(__DIR__) . '/own-classes.php')(__DIR__);
require dirname(__DIR__, 3) . '/test/support/php/laravel/autoload.php';
