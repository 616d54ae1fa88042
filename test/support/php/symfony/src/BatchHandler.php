<?php

declare(strict_types=1);

namespace App;

use Symfony\Component\Messenger\Handler\Acknowledger;
use Symfony\Component\Messenger\Handler\BatchHandlerInterface;
use Symfony\Component\Messenger\Handler\BatchHandlerTrait;

/** Waits for ten messages, where the consumer lets it. */
final class BatchHandler implements BatchHandlerInterface
{
    use BatchHandlerTrait;

    public function __invoke(Batched $message, ?Acknowledger $ack = null): mixed
    {
        return $this->handle($message, $ack);
    }

    /** @param list<array{Batched, Acknowledger}> $jobs */
    private function process(array $jobs): void
    {
        Notes::write('batches', array_map(static fn (array $job): string => $job[0]->do, $jobs));
        if (in_array('break', array_map(static fn (array $job): string => $job[0]->do, $jobs), true)) {
            throw new \RuntimeException('this batch breaks');
        }
        foreach ($jobs as [, $ack]) {
            $ack->ack();
        }
    }
}
