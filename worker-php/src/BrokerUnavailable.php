<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/** Nothing was sent: the broker cannot be reached, lets nobody in, or does not answer. */
final class BrokerUnavailable extends PublishFailed
{
}
