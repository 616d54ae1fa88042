import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { count, HOLD_OVER, HOLDING } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { readyIn } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* What the system denies the daemon itself: open files, and a place for its log. */

test.for(['completed', 'dispatched'])(
  '--ack %s: no more open files is a hold; every message is executed once',
  async (ack, { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ children: 2 })
    const release = join(temporaryFolder('release'), 'now')
    const worker = workerThat(waitForFile(release))
    await publishAll(broker, queue, numbers(60), (index) => ({ messageId: `M-${index + 1}` }))
    const daemon = await startDaemon({
      socket: pool.socket,
      script: worker.path,
      args: ['--ack', ack, '--concurrency', '60'],
      under: ['sh', '-c', 'ulimit -n 70 && exec "$@"', 'sh'],
    })
    const line = await daemon.waitForLine(HOLDING)
    expect(line['reason']).toContain('EMFILE: this process has too many open files')
    writeFileSync(release, '')
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 60)
    expect(worker.executions().sort()).toEqual(
      numbers(60)
        .map(({ number }) => `M-${number} 1 0`)
        .sort(),
    )
    expect(count(daemon.log, HOLDING)).toBe(count(daemon.log, HOLD_OVER))
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
  },
)

test.for([
  ['on a full disk', 'exec "$@" 2>/dev/full', /^\/dev\/full$/],
  ['into a pipe that nobody reads any more', 'exec "$@" 2> >(exec true)', /^pipe:/],
] as const)(
  'a log %s costs its lines, and no message',
  async ([, command, where], { broker, queue, startDaemon }) => {
    const worker = workerThat('')
    const ids = numbers(30).map(({ number }) => `M-${number}`)
    await publishAll(broker, queue, [...numbers(30), 'not JSON'], (index) => ({
      messageId: ids[index] ?? 'M',
    }))
    const daemon = await startDaemon({
      script: worker.path,
      args: ['--log-level', 'debug'],
      under: ['bash', '-c', command, join(temporaryFolder('log'), 'daemon')],
    })
    await eventually('all are executed', () => worker.executions().length === 30)
    await eventually('the last is moved', async () => (await readyIn(broker, `${queue}.dead`)) === 1)
    expect(worker.executions().sort()).toEqual(ids.map((id) => `${id} 1 0`).sort())
    expect(readlinkSync(`/proc/${daemon.pid}/fd/2`)).toMatch(where)
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    expect(await readyIn(broker, queue)).toBe(0)
  },
)

test('a log that may grow again goes on', async ({ broker, queue, startDaemon }) => {
  const log = join(temporaryFolder('log'), 'daemon')
  const worker = workerThat('')
  const daemon = await startDaemon({
    script: worker.path,
    under: ['bash', '-c', 'ulimit -S -f 0; trap "" XFSZ; exec "$@" 2>"$0"', log],
  })
  await publishAll(broker, queue, [...numbers(5), 'not JSON'])
  await eventually('all are executed', () => worker.executions().length === 5)
  await eventually('the last is moved', async () => (await readyIn(broker, `${queue}.dead`)) === 1)
  expect(readFileSync(log, 'utf8')).toBe('')
  execFileSync('prlimit', ['--fsize=unlimited:', '--pid', String(daemon.pid)])
  await publishAll(broker, queue, ['not JSON either'])
  await eventually('it is logged', () => readFileSync(log, 'utf8').includes('Dead-lettered.'))
})
