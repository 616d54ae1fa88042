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

function executedBy(log: readonly { message: string }[]): number {
  return log.filter(({ message }) => message === 'Executed.').length
}
