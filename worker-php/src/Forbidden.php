<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use RuntimeException;

/** The request does not come from fpm-bridge, so there is no message. */
final class Forbidden extends RuntimeException
{
}
