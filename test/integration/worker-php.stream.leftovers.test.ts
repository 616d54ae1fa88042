import { expect } from 'vitest'
import { test } from '../support/stream-requests.ts'

/* What one message's handler leaves to the next. */

const STATE = `echo json_encode([
  'level' => ob_get_level(), 'timezone' => date_default_timezone_get(), 'locale' => setlocale(LC_ALL, '0'),
  'umask' => umask(), 'folder' => getcwd(), 'encoding' => mb_internal_encoding(), 'error' => error_get_last(),
  'xml' => function_exists('libxml_use_internal_errors') ? libxml_use_internal_errors() : null,
  'errorHandler' => is_object($e = set_error_handler(null)) ? get_class($e) : $e,
  'exceptionHandler' => is_object($x = set_exception_handler(null)) ? get_class($x) : $x,
  'precision' => ini_get('precision'), 'reporting' => error_reporting(), 'memory' => ini_get('memory_limit'),
  'abort' => ini_get('ignore_user_abort'), 'include' => get_include_path(),
]); restore_error_handler(); restore_exception_handler();`

test('what a handler leaves behind is put back', async ({ openStream }) => {
  const { client } = await openStream(
    `if ($do === 'tell') { ${STATE} return; }
     ob_start(); ob_start();
     date_default_timezone_set('Asia/Tokyo'); setlocale(LC_NUMERIC, 'C.UTF-8'); umask(0); chdir('/');
     mb_internal_encoding('ISO-8859-1'); echo $undefined;
     if (function_exists('libxml_use_internal_errors')) libxml_use_internal_errors(true);
     if ($do === 'add') {
       set_error_handler(fn () => true); set_error_handler(fn () => false); set_exception_handler(fn () => null);
     } elseif ($do === 'take') {
       restore_error_handler(); restore_error_handler(); restore_exception_handler();
     }
     ini_set('precision', '3'); error_reporting(0); ini_set('memory_limit', '-1'); ignore_user_abort(true);
     set_include_path('/nowhere');
     if ($do === 'throw') throw new \\Exception();`,
    {
      before: `final class Errors { function __invoke(): bool { return false; } }
        set_error_handler(new Errors()); set_exception_handler(new Errors());
        ini_set('precision', '10'); umask(027);`,
      pool: { extensions: ['mbstring'], settings: { 'php_value[memory_limit]': '64M' } },
    },
  )
  const tell = async (): Promise<Record<string, unknown>> =>
    JSON.parse((await client.ask({ do: 'tell' })).body)
  const clean = await tell()
  expect(clean).toMatchObject({
    level: 1,
    timezone: 'UTC',
    umask: 0o27,
    precision: '10',
    memory: '64M',
    error: null,
  })
  expect(clean).toMatchObject({ errorHandler: 'FpmBridge\\Worker\\Errors', abort: '0' })
  for (const name of ['add', 'take', 'throw', 'other']) {
    await client.ask({ do: name })
    expect(await tell(), name).toEqual(clean)
  }
})

test('a session of one message is not that of the next', async ({ openStream }) => {
  const { client } = await openStream(
    `session_start(); echo session_id() === '' ? 'none' : 'one', count($_SESSION);
     $_SESSION['seen'] = true; if ($do === 'close') session_write_close();`,
    { before: "session_save_path(sys_get_temp_dir() . '/');" },
  )
  for (const name of ['leave', 'close', 'leave']) {
    expect(await client.ask({ do: name })).toMatchObject({ outcome: 'ack', body: 'one0' })
  }
  expect(client.stderr).toBe('')
})

test('what stays: statics, constants, globals, the environment', async ({ openStream }) => {
  const { client } = await openStream(
    `static $calls = 0; $calls += 1; echo $calls, defined('SEEN') ? 'seen' : '', getenv('SEEN'), $_SERVER['SEEN'] ?? '';
     if ($calls === 1) { define('SEEN', 1); putenv('SEEN=2'); $_SERVER['SEEN'] = 3; }`,
  )
  expect(await client.ask({})).toMatchObject({ body: '1' })
  expect(await client.ask({})).toMatchObject({ body: '2seen23' })
})
