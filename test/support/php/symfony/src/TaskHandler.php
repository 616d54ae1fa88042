<?php

declare(strict_types=1);

namespace App;

use FpmBridge\Worker\Hold;
use RuntimeException;
use Symfony\Component\Messenger\Exception\RecoverableMessageHandlingException;
use Symfony\Component\Messenger\Exception\UnrecoverableMessageHandlingException;

/** Does what the task says, however bad. */
final class TaskHandler
{
    public function __invoke(Task $task): void
    {
        $attempt = Attempt::$number;
        Notes::write('executions', ['do' => $task->do, 'bytes' => bin2hex($task->bytes), 'attempt' => $attempt]);
        switch ($task->do) {
            case 'fail':
                throw new RuntimeException('not today');
            case 'recover':
                throw new RecoverableMessageHandlingException('not yet');
            case 'recover later':
                throw new Later('not yet');
            case 'succeed at 2':
                if ($attempt === 1) {
                    throw new RecoverableMessageHandlingException('not yet');
                }
                break;
            case 'refuse':
                throw new UnrecoverableMessageHandlingException('no such invoice');
            case 'leave things behind':
                date_default_timezone_set('Asia/Tokyo');
                set_error_handler(static fn (): bool => true);
                break;
            case 'hold':
                throw new Hold(30, 'the database is away');
            case 'exit':
                exit('done');
            case 'finish and exit':
                echo 'done';
                fastcgi_finish_request();
                exit;
            case 'fatal':
                echo 'partial';
                flush();
                eval('abstract class A { abstract function f(); } class B extends A {}');
                break;
            case 'fatal after a flush':
                while (ob_get_level() > 0) {
                    ob_end_flush();
                }
                echo 'partial';
                flush();
                eval('abstract class A { abstract function f(); } class B extends A {}');
                break;
            case 'out of memory':
                for ($all = ''; true; $all .= str_repeat('x', 1 << 20)) {
                }
        }
    }
}
