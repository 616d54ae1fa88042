<?php

declare(strict_types=1);

/*
 * A web request that leaves its work to the queue: POST number=7 answers 202 when the broker has the message.
 *
 * The pool's environment says where the broker is:
 *   env[BROKER_URL] = amqp://user:password@127.0.0.1:5672
 *   env[BROKER_QUEUE] = commands
 */

use FpmBridge\Worker\Publisher;
use FpmBridge\Worker\PublishFailed;

require 'PhpAmqpLib/autoload.php'; // Debian's php-amqplib; with composer, vendor/autoload.php stands for both
require __DIR__ . '/../autoload.php';

$publisher = new Publisher((string) getenv('BROKER_URL'), (string) getenv('BROKER_QUEUE'), timeout: 3.0);
try {
    $id = $publisher->publish(['number' => (string) ($_POST['number'] ?? '')], ['type' => 'example']);
} catch (PublishFailed $failure) {
    error_log($failure->getMessage());
    http_response_code(503);
    exit("Please try again.\n");
}
http_response_code(202);
header('Content-Type: application/json');
echo json_encode(['messageId' => $id]);
