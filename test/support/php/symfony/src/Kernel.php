<?php

declare(strict_types=1);

namespace App;

use RuntimeException;
use Symfony\Bundle\FrameworkBundle\FrameworkBundle;
use Symfony\Bundle\FrameworkBundle\Kernel\MicroKernelTrait;
use Symfony\Component\DependencyInjection\Loader\Configurator\ContainerConfigurator;
use Symfony\Component\HttpKernel\Kernel as BaseKernel;

/** An application of the framework, in the folder that the test made: its config/services.yaml is from the docs. */
final class Kernel extends BaseKernel
{
    use MicroKernelTrait;

    public function registerBundles(): iterable
    {
        return [new FrameworkBundle()];
    }

    public function boot(): void
    {
        match (getenv('BROKEN_BOOT')) {
            'throws' => throw new RuntimeException('no configuration'),
            'exits' => exit,
            default => null,
        };
        // As an application may set it for all that it does.
        date_default_timezone_set('Europe/Vienna');
        parent::boot();
    }

    public function getProjectDir(): string
    {
        return dirname((string) $_SERVER['SCRIPT_FILENAME'], 2);
    }

    private function configureContainer(ContainerConfigurator $container): void
    {
        $container->extension('framework', [
            'secret' => 'of the tests',
            'messenger' => [
                // Symfony 7 does nothing else, and knows the option no more.
                ...(self::MAJOR_VERSION < 7 ? ['reset_on_message' => true] : []),
                'failure_transport' => 'failed',
                'transports' => [
                    // By default each has 3 retries: those that must not happen.
                    'async' => 'notes://async',
                    'failed' => 'notes://' . ($_SERVER['FAILED'] ?? 'failed'),
                ],
                'routing' => [Task::class => 'async'],
                'default_bus' => 'other.bus',
                'buses' => [
                    'other.bus' => [],
                    'command.bus' => ['middleware' => [NoteMiddleware::class, StateMiddleware::class]],
                ],
            ],
        ]);
        $services = $container->services()->defaults()->autoconfigure();
        $services->set(NoteMiddleware::class);
        $services->set(StateMiddleware::class);
        $services->set(EventNotes::class);
        $services->set(NotesTransport::class)->tag('messenger.transport_factory');
        $services->set(TaskHandler::class)
            ->tag('messenger.message_handler', ['bus' => 'command.bus', 'from_transport' => 'async']);
        $services->set(BatchHandler::class)
            ->tag('messenger.message_handler', ['bus' => 'command.bus', 'handles' => Batched::class]);
        $container->import($this->getProjectDir() . '/config/services.yaml');
    }
}
