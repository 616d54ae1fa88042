<?php

declare(strict_types=1);

namespace FpmBridge\Worker;

/** The broker would not take the message: a full queue with x-overflow reject-publish, or a fault of the broker. */
final class Refused extends PublishFailed
{
}
