<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/** The message cannot be read as it arrived, and could not at the next attempt. */
final class InvalidMessage extends Reject
{
}
