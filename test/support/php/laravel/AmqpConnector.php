<?php

declare(strict_types=1);

namespace App;

use Illuminate\Contracts\Queue\Queue;
use Illuminate\Queue\Connectors\ConnectorInterface;

final class AmqpConnector implements ConnectorInterface
{
    /** @param array{url: string, queue: string} $config */
    public function connect(array $config): Queue
    {
        return new AmqpQueue($config['url'], $config['queue']);
    }
}
