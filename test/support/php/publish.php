<?php

declare(strict_types=1);

/*
 * A long-lived publisher: for each line of standard input, the JSON arguments of Publisher::publish(), it answers with a
 * line, {"id": ...} or {"error": class, "message": ..., "id": ...}. The JSON arguments of its constructor are argv[1].
 */

use FpmBridge\Worker\Publisher;
use FpmBridge\Worker\PublishFailed;

require 'PhpAmqpLib/autoload.php';
require __DIR__ . '/../../../worker-php/autoload.php';

$publisher = new Publisher(...json_decode($argv[1], true, 512, JSON_THROW_ON_ERROR));
while (($line = fgets(STDIN)) !== false) {
    try {
        $answer = ['id' => $publisher->publish(...json_decode($line, true, 512, JSON_THROW_ON_ERROR))];
    } catch (PublishFailed $failure) {
        $class = substr((string) strrchr(get_class($failure), '\\'), 1);
        $answer = ['error' => $class, 'message' => $failure->getMessage(), 'id' => $failure->messageId];
    }
    echo json_encode($answer, JSON_THROW_ON_ERROR), "\n";
}
$publisher->close();
