import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { handlerScript, workerPhp } from '../support/handler-script.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { phpIsAtLeast } from '../support/php-version.ts'
import { readWorkerLog } from '../support/worker-log.ts'

/* The composer package of worker-php, in a real php-fpm, behind a real daemon: what a handler does, and what becomes of it. */

const DELAYS = ['--retry-delay', '10ms', '--retry-max-delay', '20ms']
const COMPLETED = ['--ack', 'completed', '--max-attempts', '2', ...DELAYS]

const FATAL = "eval('abstract class A { abstract function f(); } class B extends A {}');"

interface Failure {
  /** What the handler does. */
  readonly php: string
  readonly status: 422 | 500 | 503
  /** What our line in the log says; it reaches the daemon whatever the pool's settings. */
  readonly says?: string
  /** What PHP's own line says, where it logs errors. */
  readonly logs?: string
}

const FAILURES: Readonly<Record<string, Failure>> = {
  exit: { php: 'exit;', status: 500, says: 'attempt 2 of 2): the handler has called exit' },
  'exit with a text': { php: "exit('done');", status: 500 },
  'exit from a success of its own making': {
    php: "header_remove(); http_response_code(200); header('X-Bridge-Outcome: ack'); exit('done');",
    status: 500,
  },
  'exit past every buffer': {
    php: "while (ob_get_level() > 0) ob_end_clean(); echo 'done'; flush(); exit;",
    status: 500,
  },
  'exit from a finished answer': { php: "echo 'done'; fastcgi_finish_request(); exit;", status: 500 },
  'fatal error': { php: `echo 'partial'; ${FATAL}`, status: 500, logs: 'PHP Fatal error:  Class ' },
  'fatal error after a flush': { php: `echo 'partial'; ob_end_flush(); flush(); ${FATAL}`, status: 500 },
  'out of memory': {
    php: "$all = ''; while (true) $all .= str_repeat('x', 1 << 20);",
    status: 500,
    logs: 'PHP Fatal error:  Allowed memory size',
  },
  'out of memory while it prints': {
    php: "while (true) { $all[] = str_repeat('x', 1 << 16); echo 'x'; }",
    status: 500,
  },
  'out of time': {
    php: 'set_time_limit(1); while (true);',
    status: 500,
    logs: 'PHP Fatal error:  Maximum execution time',
  },
  exception: {
    php: 'throw new \\RuntimeException("not\\ntoday");',
    status: 500,
    says: 'attempt 2 of 2): RuntimeException: not today in ',
  },
  error: { php: 'missing_function();', status: 500, says: 'undefined function' },
  retry: { php: "throw new Retry(0, 'the shop is closed');", status: 503, says: '): the shop is closed' },
  reject: { php: "throw new Reject('no such invoice');", status: 422, says: '): no such invoice' },
}

// The first is the worst that a pool can be: errors are printed, as if they were the answer, and logged nowhere.
test.for([
  { display_errors: 'on', log_errors: 'off' },
  { display_errors: 'off', log_errors: 'on' },
])(
  'no failure is taken for success, without --require-marker, with display_errors $display_errors',
  async (errors, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ ini: { ...errors, memory_limit: '16M' } })
    const cases = Object.entries(FAILURES).map(([name, { php }]) => `case '${name}': ${php} break;`)
    const worker = handlerScript(pool.directory, `switch ($do) { ${cases.join('\n')} }`)
    await publishAll(
      broker,
      queue,
      Object.keys(FAILURES).map((name) => ({ do: name })),
    )
    const daemon = await startDaemon({ socket: pool.socket, script: worker.script, args: COMPLETED })
    await eventually('all are settled', () => settledBy(daemon.log) === cases.length)

    const dead = await takeAll(broker, `${queue}.dead`)
    for (const [name, { status, says, logs }] of Object.entries(FAILURES)) {
      const copy = dead.find(({ content }) => JSON.parse(content.toString()).do === name)
      expect(copy?.properties.headers, name).toMatchObject({ 'x-fpm-bridge-status': status })
      const stderr = copy?.properties.headers?.['x-fpm-bridge-stderr'] ?? ''
      if (says !== undefined) expect(stderr, name).toContain(says)
      if (logs !== undefined && errors.log_errors === 'on') expect(stderr, name).toContain(logs)
      const executions = worker.executions().filter((execution) => execution.do === name)
      expect(executions, name).toHaveLength(status === 422 ? 1 : 2)
    }
  },
)

test('what returns is executed once and acked, whatever it prints', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool()
  const worker = handlerScript(
    pool.directory,
    `switch ($do) {
       case 'print': echo 'done'; break;
       case 'print much': echo str_repeat('x', 5 << 20); break;
       case 'flush the buffer': echo 'done'; ob_flush(); break;
       case 'end the buffer': echo 'done'; ob_end_flush(); break;
       case 'leave a buffer open': ob_start(); echo 'done'; break;
       case 'answer otherwise': http_response_code(500); header('X-Bridge-Outcome: dead-letter'); break;
     }`,
  )
  const all = [
    'print',
    'print much',
    'flush the buffer',
    'end the buffer',
    'leave a buffer open',
    'answer otherwise',
  ]
  await publishAll(
    broker,
    queue,
    all.map((name) => ({ do: name })),
  )
  const args = [...COMPLETED, '--require-marker']
  const daemon = await startDaemon({ socket: pool.socket, script: worker.script, args })
  await eventually('all are executed', () => executedBy(daemon.log) === all.length)
  expect(
    worker
      .executions()
      .map((execution) => execution.do)
      .sort(),
  ).toEqual([...all].sort())
})

test('what succeeds at its second attempt is acked then', async ({ broker, queue, ownPool, startDaemon }) => {
  const pool = await ownPool()
  const worker = handlerScript(pool.directory, 'if (!$message->isLastAttempt()) throw new Retry(0);')
  await publishAll(broker, queue, [{ do: 'it' }])
  const daemon = await startDaemon({ socket: pool.socket, script: worker.script, args: COMPLETED })
  await daemon.waitForLine('Executed.')
  expect(worker.executions()).toEqual([1, 2].map((attempt) => ({ do: 'it', attempt })))
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
})

test('a success that cannot say so any more is no success, and the log says who is to blame', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool()
  const worker = handlerScript(
    pool.directory,
    `if ($do === 'finish') fastcgi_finish_request();
     else { while (ob_get_level() > 0) ob_end_clean(); echo 'done'; flush(); }`,
  )
  await publishAll(broker, queue, [{ do: 'finish' }, { do: 'print' }])
  const daemon = await startDaemon({ socket: pool.socket, script: worker.script, args: COMPLETED })
  await eventually(
    'both are given up',
    () => daemon.log.filter(({ message }) => message === 'Dead-lettered.').length === 2,
  )
  expect(executedBy(daemon.log)).toBe(0)
  const dead = await takeAll(broker, `${queue}.dead`)
  const printed = dead.find(({ content }) => content.toString().includes('print'))
  expect(printed?.properties.headers?.['x-fpm-bridge-stderr']).toMatch(
    /cannot say so: .*handler\.php:\d+ sent the headers/,
  )
  // The daemon has its answer by then; php-fpm's own log gets the line.
  await eventually('the log says so', () =>
    /fastcgi_finish_request\(\) in .*handler\.php:\d+ sent the headers/.test(pool.errorLog()),
  )
})

test('flush() with nothing to send does nothing, until PHP 8.4: from then on the headers go, and the log names it', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool()
  const worker = handlerScript(pool.directory, "echo 'done'; flush();")
  await publishAll(broker, queue, [{ do: 'it' }])
  const daemon = await startDaemon({ socket: pool.socket, script: worker.script, args: COMPLETED })
  if (phpIsAtLeast(8, 4)) {
    const { stderr } = await daemon.waitForLine('Dead-lettered.')
    expect(stderr).toMatch(/cannot say so: flush\(\) in .*handler\.php:\d+ sent the headers/)
  } else {
    await daemon.waitForLine('Executed.')
    expect(worker.executions()).toHaveLength(1)
  }
})

test.for(['on', 'off'])(
  'a script that prints something before its worker does not run it, with display_errors %s',
  async (displayErrors, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ ini: { display_errors: displayErrors, log_errors: 'off' } })
    const worker = handlerScript(pool.directory, '', { before: 'echo "\\n"; flush();' })
    await publishAll(broker, queue, [{ do: 'it' }])
    const daemon = await startDaemon({ socket: pool.socket, script: worker.script, args: COMPLETED })
    const { reason } = await daemon.waitForLine('Dead-lettered.')
    expect(reason).toContain('status 200, and PHP reported a fatal error')
    expect(worker.executions()).toEqual([])
  },
)

test('with --require-marker, a script that ends before its worker is no success', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool({ ini: { display_errors: 'on', log_errors: 'off' } })
  const worker = handlerScript(pool.directory, '', { before: 'missing_function();' })
  await publishAll(broker, queue, [{ do: 'it' }])
  const args = [...COMPLETED, '--require-marker']
  const daemon = await startDaemon({ socket: pool.socket, script: worker.script, args })
  const { reason } = await daemon.waitForLine('Dead-lettered.')
  expect(reason).toContain('status 200, without the X-Bridge-Outcome that --require-marker')
  expect(worker.executions()).toEqual([])
})

test('the smallest worker and the example with a handler do the same', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const log = join((await ownPool()).directory, 'worker.log')
  const pool = await ownPool({ environment: { WORKER_LOG: log, WORKER_SLEEP_MS: '0' } })
  for (const script of ['worker.php', 'examples/handler.php']) {
    await publishAll(broker, queue, [...numbers(3), { name: 'no number' }])
    const daemon = await startDaemon({
      socket: pool.socket,
      script: join(workerPhp, script),
      args: [...COMPLETED, '--daemon-id', `D-${script}`],
    })
    await daemon.waitForLine('Dead-lettered.')
    await eventually('the others are executed', () => executedBy(daemon.log) === 3)
    const mine = readWorkerLog(log).filter(({ daemonId }) => daemonId === `D-${script}`)
    expect(mine.map(({ number }) => number).sort()).toEqual(['1', '2', '3'])
    // A daemon that is killed may not have sent the acks of what it has just logged.
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
  }
  expect(readFileSync(log, 'utf8')).toMatch(/^ \[x\] Processing [123] from daemon D-worker\.php$/m)
})

function settledBy(log: readonly { message: string }[]): number {
  return log.filter(({ message }) => message === 'Dead-lettered.' || message === 'Executed.').length
}

function executedBy(log: readonly { message: string }[]): number {
  return log.filter(({ message }) => message === 'Executed.').length
}
