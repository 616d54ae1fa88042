/**
 * What a script does, and what is to come of it: with `completed` at its first attempt, with `dispatched`, why, and how
 * many milliseconds it rests before its second one.
 */
export type Case = readonly [
  name: string,
  php: string,
  completed: 'executed' | 'retry' | 'dead-letter',
  dispatched: 'executed' | 'refused' | 'lost',
  reason: RegExp,
  delayMs?: number,
]

/** A status, and nothing else. */
function status(code: number, outcome: 'executed' | 'retry' | 'dead-letter'): Case {
  const reason = new RegExp(`^the worker answered with status ${code}$`)
  const name = `status ${code}`
  return [name, `http_response_code(${code});`, outcome, outcome === 'executed' ? outcome : 'refused', reason]
}

function retryAfter(value: string, delayMs: number): Case {
  const php = `http_response_code(503); header('Retry-After: ' . ${value});`
  return [`Retry-After ${value}`, php, 'retry', 'refused', /status 503$/, delayMs]
}

const success = [200, 201, 204, 299].map((code) => status(code, 'executed'))
const temporary = [408, 409, 425, 429, 500, 503, 599].map((code) => status(code, 'retry'))
const permanent = [301, 302, 304, 400, 403, 404, 410, 422].map((code) => status(code, 'dead-letter'))

export const ANSWERS: readonly Case[] = [
  ...success,
  ...temporary,
  ...permanent,
  status(999, 'retry'),
  ['an unreadable status', "header('Status: abc');", 'retry', 'refused', /status NaN/],
  // The words of php-fpm, and one header more than it sends.
  [
    'a 404 of the worker’s own',
    'http_response_code(404); header(\'X-Own: 1\'); echo "File not found.\\n";',
    'dead-letter',
    'refused',
    /status 404$/,
  ],
  // Its words without the end of the line.
  ['a 404 page', "http_response_code(404); echo 'File not found.';", 'dead-letter', 'refused', /status 404$/],
  ['exit(3)', 'exit(3);', 'executed', 'executed', /never/],
  ['no output', '', 'executed', 'executed', /never/],
  ['a lot of output', "echo str_repeat('x', 3_000_000);", 'executed', 'executed', /never/],
  // The delays there are in this test: 100, 200, 400, 800 and 1,000 ms.
  retryAfter('0', 100),
  retryAfter('1', 1_000),
  retryAfter("'99999999999999999999'", 1_000),
  retryAfter("gmdate('D, d M Y H:i:s', time() + 3600) . ' GMT'", 1_000),
  retryAfter("gmdate('D, d M Y H:i:s', time() - 3600) . ' GMT'", 100),
  retryAfter("'soon'", 100),
  retryAfter("'-5'", 100),
]

function marked(marker: string, code: number, outcome: 'executed' | 'retry' | 'dead-letter'): Case {
  const php = `http_response_code(${code}); header('X-Bridge-Outcome: ${marker}');`
  const reason = new RegExp(`status ${code} and X-Bridge-Outcome: ${marker}(?:, which is none of .*)?$`)
  return [`${marker} with ${code}`, php, outcome, outcome === 'executed' ? 'executed' : 'refused', reason]
}

export const MARKED: readonly Case[] = [
  marked('ack', 200, 'executed'),
  marked('ack', 500, 'executed'),
  marked('ack', 404, 'executed'),
  marked('retry', 200, 'retry'),
  marked('retry', 404, 'retry'),
  marked('dead-letter', 200, 'dead-letter'),
  marked('dead-letter', 503, 'dead-letter'),
  // No such outcome is no success, whatever the status. The reason says so.
  marked('later', 200, 'retry'),
  marked('later', 503, 'retry'),
  marked('later', 404, 'retry'),
  [
    'the last of two',
    "header('X-Bridge-Outcome: ack'); header('X-Bridge-Outcome: dead-letter', false);",
    'dead-letter',
    'refused',
    /X-Bridge-Outcome: dead-letter$/,
  ],
]

/** No more than two different ones without it: three in a row are a hold. */
export const withMarker: readonly Case[] = [
  ['the marker', "header('X-Bridge-Outcome: ack');", 'executed', 'executed', /never/],
  ['no marker', "echo 'done';", 'retry', 'refused', /status 200, .*--require-marker.*did not start$/],
  [
    'exit before the marker',
    "exit(3); header('X-Bridge-Outcome: ack');",
    'retry',
    'refused',
    /--require-marker/,
  ],
]

/** @param status of a fatal error before any output; after it the status is out already */
export function FATAL_ERRORS(status: number): readonly Case[] {
  const reason = new RegExp(`status ${status}, and PHP reported a fatal error$`)
  const late = /status 200, and PHP reported a fatal error$/
  return [
    ['an undefined function', 'undefined_function();', 'retry', 'refused', reason],
    ['an exception', "throw new RuntimeException('no');", 'retry', 'refused', reason],
    ['a parse error', "eval('{');", 'retry', 'refused', reason],
    ['out of memory', "$text = str_repeat('x', 64_000_000);", 'retry', 'refused', reason],
    ['max_execution_time', 'set_time_limit(1); for (;;);', 'retry', 'refused', reason],
    ['after output', "echo 'begun'; flush(); undefined_function();", 'retry', 'refused', late],
    ['a warning', 'trigger_error("no", E_USER_WARNING);', 'executed', 'executed', /never/],
    ['a caught exception', 'try { undefined_function(); } catch (Error) {}', 'executed', 'executed', /never/],
  ]
}

const LOST = /^the connection ended before the answer was complete/
const TAKEN = "exec('kill -9 ' . getmypid()); sleep(5);"

export const DEATHS: readonly Case[] = [
  ['killed before any output', TAKEN, 'retry', 'lost', LOST],
  ['killed in a 200', `echo 'partial'; flush(); ${TAKEN}`, 'retry', 'lost', LOST],
  ['too slow', 'sleep(4);', 'retry', 'lost', /^no complete answer within 1500 ms$/],
  [
    'slow after output',
    "echo 'begun'; flush(); sleep(4);",
    'retry',
    'lost',
    /^no complete answer within 1500 ms$/,
  ],
  ['alive', '', 'executed', 'executed', /never/],
]
