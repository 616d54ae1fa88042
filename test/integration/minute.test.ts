import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { workerThat } from '../support/worker-script.ts'

/* The line that each minute has, against what a real pool has executed. */

/** Of the daemon's intervals: all of a minute take a second. */
const SHORT_MINUTE = `data:text/javascript,${encodeURIComponent(
  'const of = setInterval; globalThis.setInterval = (tick, ms, ...more) => of(tick, ms === 60_000 ? 1_000 : ms, ...more)',
)}`

test('each minute in which messages were executed is a line, and no other', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const worker = workerThat(`usleep(20000); http_response_code((int) $_POST['status']);`)
  const daemon = await startDaemon({
    script: worker.path,
    args: ['--ack', 'completed', '--daemon-id', 'D-1'],
    environment: { NODE_OPTIONS: `--import=${SHORT_MINUTE}` },
  })
  await daemon.waitForLine('Consuming.')
  const minutes = () => daemon.log.filter(({ message }) => message === 'The last minute.')
  const total = (outcome: string) =>
    minutes().reduce((sum, { messages }) => sum + Number((messages as Record<string, number>)[outcome]), 0)

  await publishAll(broker, queue, [...Array(20).fill({ status: 200 }), { status: 404 }])
  await eventually('all are in a minute', () => total('executed') + total('dead-letter') === 21)
  expect(total('dead-letter')).toBe(1)
  // One may have ended before the first of them had.
  const first = minutes().find(({ p50_ms: p50 }) => p50 !== undefined)
  expect(first).toMatchObject({ level: 'info', daemon_id: 'D-1', waiting: expect.any(Number) })
  expect(first?.['p50_ms']).toBeGreaterThan(19)
  expect(first?.['p95_ms']).toBeGreaterThanOrEqual(Number(first?.['p50_ms']))

  const said = minutes().length
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  expect(minutes()).toHaveLength(said)
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(daemon.log.at(-1)).toMatchObject({ message: 'Stopped.', executed: 20 })
})
