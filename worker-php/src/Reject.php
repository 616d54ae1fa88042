<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use RuntimeException;

/** Thrown by a handler: not now and not later. The message goes to the dead-letter queue at once. */
class Reject extends RuntimeException
{
}
