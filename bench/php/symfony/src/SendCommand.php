<?php

declare(strict_types=1);

namespace App;

use Symfony\Component\Console\Command\Command;
use Symfony\Component\Console\Input\InputArgument;
use Symfony\Component\Console\Input\InputInterface;
use Symfony\Component\Console\Output\OutputInterface;
use Symfony\Component\Messenger\MessageBusInterface;

/** Sends a task by the application's bus. */
final class SendCommand extends Command
{
    public function __construct(private readonly MessageBusInterface $bus)
    {
        parent::__construct('send');
    }

    protected function configure(): void
    {
        $this->addArgument('does', InputArgument::REQUIRED)->addArgument('number', InputArgument::REQUIRED);
    }

    protected function execute(InputInterface $input, OutputInterface $output): int
    {
        $this->bus->dispatch(new Task($input->getArgument('does'), $input->getArgument('number')));
        return self::SUCCESS;
    }
}
