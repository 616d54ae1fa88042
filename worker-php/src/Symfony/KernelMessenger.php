<?php

declare(strict_types=1);

namespace FpmBridge\Worker\Symfony;

use Closure;
use FpmBridge\Worker\Batching;
use FpmBridge\Worker\Message;
use FpmBridge\Worker\Resettable;
use Symfony\Component\HttpKernel\KernelInterface;

/**
 * Has messages executed by the Messenger of a kernel's container. With many messages in one request, services are reset between
 * them, and batch handlers get their batches, as with `messenger:consume`; or each message gets a container of its own.
 */
final class KernelMessenger implements Batching, Resettable
{
    private ?Messenger $messenger = null;

    /**
     * @param KernelInterface $kernel         it is booted here
     * @param bool            $freshContainer with many messages in one request: boots the kernel anew for each. Static
     *                                        variables stay
     * @param string          $service        the id of the Messenger, which has to be public
     */
    public function __construct(
        private readonly KernelInterface $kernel,
        private readonly bool $freshContainer = false,
        private readonly string $service = Messenger::class,
    ) {
        $this->start();
    }

    /** @throws \Throwable whatever keeps the message from being acked */
    public function __invoke(Message $message): void
    {
        ($this->messenger)($message);
    }

    /** A container of its own has nothing that could wait for other messages. */
    public function collect(Message $message, Closure $finish): void
    {
        if ($this->freshContainer) {
            ($this->messenger)($message);
            $finish(null);
        } else {
            $this->messenger->collect($message, $finish);
        }
    }

    public function flush(): void
    {
        $this->messenger->flush();
    }

    public function reset(): void
    {
        // Also before the container goes: it has what is buffered written.
        $this->resetServices();
        if ($this->freshContainer) {
            $this->messenger = null;
            $this->kernel->shutdown();
            // Services know each other, in circles: until they are collected, their connections stay open.
            gc_collect_cycles();
            $this->start();
        }
    }

    private function resetServices(): void
    {
        $container = $this->kernel->getContainer();
        if ($container->has('services_resetter')) {
            $container->get('services_resetter')->reset();
        }
    }

    private function start(): void
    {
        $this->kernel->boot();
        $this->messenger = $this->kernel->getContainer()->get($this->service);
    }
}
