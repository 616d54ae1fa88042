<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

use RuntimeException;

/** Thrown while it is cleaned up between two messages of one request: no more in this one. Nobody's failure. */
final class EndRequest extends RuntimeException
{
}
