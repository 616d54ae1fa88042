<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/** It was sent, and the broker has not said that it took it: it may be in the queue, or not. */
final class Unconfirmed extends PublishFailed
{
}
