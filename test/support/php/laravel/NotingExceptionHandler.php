<?php

declare(strict_types=1);

namespace App;

use Illuminate\Contracts\Debug\ExceptionHandler;
use LogicException;
use RuntimeException;
use Throwable;

/** With REPORT_FAILS in the environment, it cannot write to its log. */
final class NotingExceptionHandler implements ExceptionHandler
{
    public function report(Throwable $e): void
    {
        if (getenv('REPORT_FAILS') !== false) {
            throw new RuntimeException('storage/logs cannot be written');
        }
        Notes::add('report', ['error' => get_class($e)]);
    }

    public function shouldReport(Throwable $e): bool
    {
        return true;
    }

    /** @param mixed $request */
    public function render($request, Throwable $e): never
    {
        throw new LogicException();
    }

    /** @param mixed $output */
    public function renderForConsole($output, Throwable $e): never
    {
        throw new LogicException();
    }
}
