<?php

declare(strict_types=1);

/*
 * Writes down what PHP made of a request, without having its body in memory: one JSON line per execution, in a file of the
 * queue's own beside the worker's log.
 */

$isParam = static fn (string $name): bool => preg_match('/^(AMQP_|CONTENT_|HTTP_)/', $name) === 1;
$line = json_encode([
    'md5' => hash_file('md5', 'php://input'),
    'fields' => count($_POST),
    'post' => array_slice($_POST, 0, 20),
    'files' => array_map(
        static fn (array $file): array => ['name' => $file['name'], 'md5' => hash_file('md5', $file['tmp_name'])],
        $_FILES,
    ),
    'params' => array_filter($_SERVER, $isParam, ARRAY_FILTER_USE_KEY),
    'headers' => json_decode($_SERVER['AMQP_HEADERS'] ?? 'null', true, 512, JSON_THROW_ON_ERROR),
], JSON_THROW_ON_ERROR) . "\n";

$file = getenv('WORKER_LOG') . '.' . $_SERVER['AMQP_QUEUE'];
file_put_contents($file, $line, FILE_APPEND | LOCK_EX);
