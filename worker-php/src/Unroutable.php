<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/** The broker has handed the message back: there is no such queue. */
final class Unroutable extends PublishFailed
{
}
