<?php

declare(strict_types=1);

namespace App;

/** A message that two handlers are for: TaskHandler, and one that always fails. */
final class Pair extends Task
{
}
