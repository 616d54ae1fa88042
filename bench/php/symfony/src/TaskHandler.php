<?php

declare(strict_types=1);

namespace App;

use Bench\Work;
use Symfony\Component\Messenger\Attribute\AsMessageHandler;

#[AsMessageHandler]
final class TaskHandler
{
    public function __invoke(Task $task): void
    {
        Work::do($task->does, $task->number);
    }
}
