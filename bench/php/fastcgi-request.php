<?php

declare(strict_types=1);

/** One FastCGI record (specification 1.0, section 3.3), of at most 65,535 bytes. */
function record(int $type, string $content): string
{
    return pack('CCnnCC', 1, $type, 1, strlen($content), 0, 0) . $content;
}

/** A stream of records of one type, with the empty one that ends it. */
function stream(int $type, string $content): string
{
    $records = '';
    foreach ($content === '' ? [] : str_split($content, 65_535) as $piece) {
        $records .= record($type, $piece);
    }
    return $records . record($type, '');
}

/** A length of a name or value (section 3.4). */
function pairLength(int $bytes): string
{
    return $bytes < 128 ? chr($bytes) : pack('N', $bytes | 0x8000_0000);
}

/** A POST of a form, in the records of a responder request that does not keep its connection. */
function fastCgiPost(string $script, string $form): string
{
    $params = [
        'GATEWAY_INTERFACE' => 'FastCGI/1.0',
        'REQUEST_METHOD' => 'POST',
        'SCRIPT_FILENAME' => $script,
        'SERVER_SOFTWARE' => 'reference',
        'REMOTE_ADDR' => '127.0.0.1',
        'REMOTE_PORT' => '9985',
        'SERVER_ADDR' => '127.0.0.1',
        'SERVER_PORT' => '80',
        'SERVER_NAME' => 'localhost',
        'SERVER_PROTOCOL' => 'HTTP/1.1',
        'CONTENT_TYPE' => 'application/x-www-form-urlencoded',
        'CONTENT_LENGTH' => (string) strlen($form),
    ];
    $pairs = '';
    foreach ($params as $name => $value) {
        $pairs .= pairLength(strlen($name)) . pairLength(strlen($value)) . $name . $value;
    }
    return record(1, pack('nCx5', 1, 0)) . stream(4, $pairs) . stream(5, $form);
}
