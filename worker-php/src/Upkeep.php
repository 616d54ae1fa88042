<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use Closure;
use Throwable;

/**
 * What is done between two messages of a stream. Made once the application has booted: what it has set then is what each message
 * finds.
 *
 * @internal
 */
final class Upkeep
{
    private readonly Leftovers $leftovers;
    private readonly MemoryLimit $memory;
    /** @var list<Closure> */
    private readonly array $resets;

    /**
     * @param callable $handler     whose own reset comes first, where it has one
     * @param ?int     $memoryLimit bytes; null: half of memory_limit
     */
    public function __construct(callable $handler, ?Closure $reset, ?int $memoryLimit)
    {
        $this->leftovers = new Leftovers();
        $this->memory = new MemoryLimit($memoryLimit);
        $own = $handler instanceof Resettable ? $handler->reset(...) : null;
        $this->resets = array_values(array_filter([$own, $reset]));
    }

    /**
     * @throws EndRequest when no more should come, for a reason that is no fault
     * @throws Throwable  what a reset throws
     */
    public function run(): void
    {
        Current::set(null);
        $this->leftovers->putBack();
        foreach ($this->resets as $reset) {
            $reset();
            Output::endAll();
        }
        $excess = $this->memory->excess();
        if ($excess !== null) {
            throw new EndRequest("memory: {$excess}");
        }
    }
}
