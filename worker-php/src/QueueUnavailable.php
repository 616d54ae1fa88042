<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/** Nothing was sent: the broker refuses to declare or to show the queue. */
final class QueueUnavailable extends PublishFailed
{
}
