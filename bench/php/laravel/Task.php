<?php

declare(strict_types=1);

namespace App;

use Bench\Work;
use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Queue\InteractsWithQueue;

final class Task implements ShouldQueue
{
    use InteractsWithQueue;
    use Queueable;

    public function __construct(private readonly string $does, private readonly string $number)
    {
    }

    public function handle(): void
    {
        Work::do($this->does, $this->number);
    }
}
