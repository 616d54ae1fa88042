<?php

declare(strict_types=1);

if (!empty($_POST['breaks'])) {
    throw new RuntimeException('The application does not start with this message.');
}
