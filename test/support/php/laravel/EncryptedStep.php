<?php

declare(strict_types=1);

namespace App;

use Illuminate\Contracts\Queue\ShouldBeEncrypted;

final class EncryptedStep extends Step implements ShouldBeEncrypted
{
}
