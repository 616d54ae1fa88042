<?php

declare(strict_types=1);

/*
 * One behaviour of a worker for each ACTION; VALUE says more about it. Answers in JSON, or as the action demands.
 */

$value = $_SERVER['VALUE'] ?? '';

switch ($_SERVER['ACTION'] ?? '') {
    case 'tell': // what arrived
        $body = (string) file_get_contents('php://input');
        echo json_encode([
            'length' => strlen($body),
            'sha256' => hash('sha256', $body),
            'fields' => count($_POST),
            'a' => strlen((string) ($_POST['a'] ?? '')),
            'large' => array_sum(array_map(
                static fn (string $name): int => str_starts_with($name, 'LARGE') ? strlen($_SERVER[$name]) : 0,
                array_keys($_SERVER),
            )),
        ]);
        break;
    case 'status':
        http_response_code((int) $value);
        echo 'the body';
        break;
    case 'headers':
        header('X-Value: one');
        header('X-Value: two', false);
        break;
    case 'stderr':
        error_log($value);
        break;
    case 'write': // so many bytes, in pieces as PHP flushes them
        for ($left = (int) $value; $left > 0; $left -= 8192) {
            echo str_repeat('x', min($left, 8192));
        }
        break;
    case 'go on': // for so many milliseconds after the answer, which is the child's process id
        echo getmypid();
        fastcgi_finish_request();
        usleep((int) $value * 1000);
        break;
    case 'fatal':
        undefined_function();
    case 'fatal after output':
        echo 'begun';
        flush();
        undefined_function();
    case 'exit':
        echo 'done';
        exit((int) $value);
    case 'die': // as when the kernel is short of memory
        if ($value !== '') {
            echo $value;
            flush();
        }
        exec('kill -9 ' . getmypid());
        sleep(5);
        break;
    case 'note and die': // in the file VALUE, after the whole body has been read
        file_get_contents('php://input');
        file_put_contents($value, 'x', FILE_APPEND);
        exec('kill -9 ' . getmypid());
        sleep(5);
        break;
    case 'finish early':
        echo 'finished';
        fastcgi_finish_request();
        usleep((int) $value * 1000);
        break;
    case 'wait': // for the file VALUE
        while (!is_file($value)) {
            usleep(10_000);
            clearstatcache();
        }
        break;
    case 'sleep':
        usleep((int) $value * 1000);
        // no break
    case 'pid':
        echo getmypid();
        break;
    default:
        http_response_code(400);
}
