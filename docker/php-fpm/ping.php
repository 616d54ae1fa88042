<?php

declare(strict_types=1);

/*
 * php ping.php SOCKET [PATH]
 *
 * Asks a php-fpm pool for its ping page and exits 0 when the answer is "pong": the health check of the image,
 * which has neither cgi-fcgi nor a web server. Record layouts: FastCGI specification, sections 3.3 and 5.
 */

const SECONDS = 3;

enum Type: int
{
    case BeginRequest = 1;
    case EndRequest = 3;
    case Params = 4;
    case Stdin = 5;
    case Stdout = 6;
    case Stderr = 7;

    public function record(string $content): string
    {
        return pack('CCnnCx', 1, $this->value, 1, strlen($content), 0) . $content;
    }
}

/** Names and values below 128 bytes have lengths of one byte. */
function pair(string $name, string $value): string
{
    return chr(strlen($name)) . chr(strlen($value)) . $name . $value;
}

function fail(string $why): never
{
    fwrite(STDERR, "{$why}\n");
    exit(1);
}

$socket = $argv[1] ?? fail("Usage: php {$argv[0]} SOCKET [PATH]");
$path = $argv[2] ?? '/ping';

$connection = @stream_socket_client("unix://{$socket}", $code, $message, SECONDS) ?: fail("{$socket}: {$message}");
stream_set_timeout($connection, SECONDS);

// A responder on a connection that is not kept. php-fpm reads SCRIPT_NAME only beside a SCRIPT_FILENAME; the page's
// own path is no file, so that a pool without the page runs nothing.
fwrite($connection, Type::BeginRequest->record(pack('nCx5', 1, 0))
    . Type::Params->record(pair('REQUEST_METHOD', 'GET') . pair('SCRIPT_NAME', $path) . pair('SCRIPT_FILENAME', $path))
    . Type::Params->record('')
    . Type::Stdin->record(''));

// Until endRequest, not until the end of the stream: php-fpm waits for its client to close first.
$answer = '';
do {
    $header = (string) stream_get_contents($connection, 8);
    strlen($header) === 8 || fail("{$socket}: {$path} has no answer after " . SECONDS . ' s');
    $record = unpack('Cversion/Ctype/nid/nlength/Cpadding', $header);
    $content = (string) stream_get_contents($connection, $record['length'] + $record['padding']);
    $type = Type::tryFrom($record['type']);
    $answer .= $type === Type::Stdout ? substr($content, 0, $record['length']) : '';
} while ($type !== Type::EndRequest);

str_ends_with($answer, "\r\n\r\npong") || fail("{$socket}: {$path} answered " . json_encode($answer));
