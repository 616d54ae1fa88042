<?php

declare(strict_types=1);

/*
 * A worker that speaks the message stream (docs/protocol.md) and nothing else: what the daemon is tested with. Fields of the
 * form say what it does; each message that it begins is a line of the file that JOURNAL names. Params of the request say how
 * it begins and ends: BOOT and LEAVE are milliseconds, SAYS is a frame instead of all that it would say after the hello,
 * and with SILENT it ends without a last word.
 */

usleep((int) ($_SERVER['BOOT'] ?? 0) * 1000);

$nonce = $_SERVER['FPM_BRIDGE_NONCE'];
$lease = (int) $_SERVER['FPM_BRIDGE_LEASE'] * 1_000_000;
$input = fopen('php://input', 'r');
stream_set_read_buffer($input, 0);
$bundle = '';
ignore_user_abort(true);

function read(int $bytes): string
{
    global $input, $bundle;
    $read = substr($bundle, 0, $bytes);
    $bundle = substr($bundle, $bytes);
    while (strlen($read) < $bytes) {
        $piece = fread($input, $bytes - strlen($read));
        if ($piece === '' || $piece === false) {
            exit;
        }
        $read .= $piece;
    }
    return $read;
}

/** @return array{type: string, sequence: int, head: string, body: string} */
function readFrame(): array
{
    $header = unpack('a1type/x3/Nsequence/Nhead/Nbody', read(16));
    if ($header['type'] === 'B') {
        global $bundle;
        $bundle = read($header['body']);
        return readFrame();
    }
    $header['head'] = read($header['head']);
    $header['body'] = read($header['body']);
    return $header;
}

function write(string $type, int $sequence, string $content = ''): void
{
    global $nonce;
    echo $nonce, pack('aNN', $type, $sequence, strlen($content)), $content;
    flush();
    if (connection_aborted() !== 0) {
        exit;
    }
}

function serve(array $message, array $form): string
{
    file_put_contents($_SERVER['JOURNAL'], "{$form['n']}\n", FILE_APPEND);
    usleep((int) ($form['ms'] ?? 0) * 1000);
    switch ($form['do'] ?? '') {
        case 'die':
            exec('kill -9 ' . getmypid());
            break;
        case 'exit':
            exit;
        case 'print':
            echo 'stray ', str_repeat('x', (int) $form['bytes']);
            break;
        case 'complain':
            error_log("about {$form['n']}");
            break;
        case 'refuse':
            return "Status: 503\r\nX-Bridge-Outcome: retry\r\n\r\nno";
        case 'leave':
            write('E', 0, 'I do not like it');
            exit;
        case 'large':
            return "Status: 200\r\n\r\n" . str_repeat('y', (int) $form['bytes']);
    }
    return "X-Bridge-Outcome: ack\r\n\r\n{$form['n']} of " . strlen($message['body']) . ' by ' . getmypid();
}

file_put_contents($_SERVER['JOURNAL'], "hello\n", FILE_APPEND);
register_shutdown_function(static function (): void {
    if (connection_aborted() === 0 && !isset($_SERVER['SILENT'])) {
        write('E', 0, 'over');
    }
    usleep((int) ($_SERVER['LEAVE'] ?? 0) * 1000);
});
$spokeAt = hrtime(true);
write('H', 0);
if (isset($_SERVER['SAYS'])) {
    write($_SERVER['SAYS'], 0, 'no more');
    exit;
}
while (true) {
    $message = readFrame();
    parse_str(substr($message['body'], 0, 1_000), $form);
    $answer = serve($message, $form);
    $answeredAt = hrtime(true);
    write('A', $message['sequence'], $answer);
    if (hrtime(true) - $spokeAt > $lease) {
        $answeredAt = hrtime(true);
        write('Q', $message['sequence']);
        while (readFrame()['type'] !== 'R');
    }
    $spokeAt = $answeredAt;
}
