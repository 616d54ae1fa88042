import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { spawnBridge } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { namedPipe } from '../support/named-pipe.ts'
import { expectCounts, readyIn } from '../support/queue-counts.ts'
import { workerThat } from '../support/worker-script.ts'

/* A log pipe whose reader stands still, as that of a container's runtime does. */

/** Their lines are some times as long as what may wait. */
const MESSAGES = 3_000

test('a log that nobody reads costs lines, with a count, and no message', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const pipe = namedPipe()
  try {
    const worker = workerThat(`error_log(str_repeat('x', 6000)); http_response_code(422);`)
    const daemon = await startDaemon({
      script: worker.path,
      under: ['bash', '-c', 'exec "$@" 2>"$0"', pipe.path],
    })
    await publishAll(broker, queue, Array(MESSAGES).fill({}))
    await eventually('all are executed', () => worker.executions().length === MESSAGES)

    let log = ''
    const missing = await eventually('the count is there', () => {
      log += pipe.read()
      const [, lines] = /nobody read the log.*"lines":(\d+)/.exec(log) ?? []
      if (lines === undefined) throw new Error(log.slice(-500))
      return Number(lines)
    })
    expect(missing).toBeGreaterThan(1_000)
    daemon.signal('SIGTERM')
    await daemon.exited
    log += pipe.read()
    const read = log.split('\n').filter((line) => line.includes('"execution_id"')).length
    expect(log.trimEnd().split('\n').at(-1)).toContain('"message":"Stopped."')
    expect(read + missing).toBeGreaterThanOrEqual(MESSAGES)
  } finally {
    pipe.close()
  }
})

test('a log that nobody reads does not keep the daemon', async ({ broker, queue, startDaemon }) => {
  const pipe = namedPipe()
  try {
    const worker = workerThat(`error_log(str_repeat('x', 6000)); http_response_code(422);`)
    const daemon = await startDaemon({
      script: worker.path,
      under: ['bash', '-c', 'exec "$@" 2>"$0"', pipe.path],
    })
    await publishAll(broker, queue, Array(300).fill({}))
    await eventually('all are executed', () => worker.executions().length === 300)
    daemon.signal('SIGTERM')
    expect(await Promise.race([daemon.exited, sleep(20_000, 'still there')])).toMatchObject({ code: 0 })
    await expectCounts(broker, queue, { ready: 0, unacked: 0 })
  } finally {
    pipe.close()
  }
})

test('publish waits for whoever reads what it says, until a signal ends it', async ({ broker, queue }) => {
  const pipe = namedPipe()
  try {
    await broker.api('PUT', `/queues/%2F/${queue}`, { durable: true })
    const args = ['--url', broker.url, '-q', queue, '--count', '1000000', '--body', '{}', '--verbose']
    const bridge = await spawnBridge(['publish', ...args], {}, ['bash', '-c', 'exec "$@" >"$0"', pipe.path])
    const published = () => readyIn(broker, queue)
    await eventually('some are published', async () => (await published()) > 0)
    await eventually('it stands still', async () => {
      const before = await published()
      await sleep(1_000)
      return (await published()) === before
    })
    const before = await published()
    await eventually('it goes on', async () => {
      pipe.read()
      return (await published()) > before
    })
    bridge.signal('SIGTERM')
    expect(await bridge.exited).toMatchObject({ code: 75 })
    expect(await published()).toBeLessThan(100_000)
  } finally {
    pipe.close()
  }
})
