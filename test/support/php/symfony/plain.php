<?php

declare(strict_types=1);

/*
 * worker-php/symfony/messenger.php of an application without the framework: a bus made by hand. The pool's environment
 * says which SERIALIZER, php or json; with BROKEN_LISTENERS, neither its log can be written nor its listeners work.
 */

use App\Batched;
use App\BatchHandler;
use App\BrokenLogger;
use App\NoteMiddleware;
use App\Pair;
use App\Task;
use App\TaskHandler;
use FpmBridge\Worker\Symfony\Messenger;
use FpmBridge\Worker\Worker;
use Symfony\Component\EventDispatcher\EventDispatcher;
use Symfony\Component\Messenger\Event\WorkerMessageFailedEvent;
use Symfony\Component\Messenger\Handler\HandlerDescriptor;
use Symfony\Component\Messenger\Handler\HandlersLocator;
use Symfony\Component\Messenger\MessageBus;
use Symfony\Component\Messenger\Middleware\HandleMessageMiddleware;
use Symfony\Component\Messenger\Transport\Serialization\PhpSerializer;
use Symfony\Component\Messenger\Transport\Serialization\Serializer;

require __DIR__ . '/autoload.php';

Worker::boot(static function (): callable {
    $bus = new MessageBus([
        new NoteMiddleware(),
        new HandleMessageMiddleware(new HandlersLocator([
            Task::class => [new HandlerDescriptor(new TaskHandler(), ['from_transport' => 'async'])],
            Pair::class => [static fn () => throw new RuntimeException('the other half')],
            Batched::class => [new BatchHandler()],
        ])),
    ]);
    $serializer = getenv('SERIALIZER') === 'json' ? Serializer::create() : new PhpSerializer();
    [$dispatcher, $logger] = [null, null];
    if (getenv('BROKEN_LISTENERS') !== false) {
        $dispatcher = new EventDispatcher();
        $dispatcher->addListener(
            WorkerMessageFailedEvent::class,
            static fn () => throw new RuntimeException('the listener is broken'),
        );
        $logger = new BrokenLogger();
    }
    return new Messenger($bus, $serializer, 'async', $dispatcher, null, $logger);
});
