<?php

declare(strict_types=1);

// The trivial worker of every contestant: reads what it was sent, and answers.
$number = $_POST['number'] ?? throw new LogicException('no number');

echo 'done';
