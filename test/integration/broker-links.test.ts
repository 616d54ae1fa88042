import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { test as base } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'
import { countsOf } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* Links that go dead without a word. What finds them out takes its time, so all are played at once. */

const test = base.extend<{ link: FaultProxy }>({
  link: async ({ broker }, use) => {
    const [port] = (await freePorts(1)) as [number]
    const link = await startFaultProxy(port, broker.port)
    await use(link)
    await link.close()
  },
})

const through = ({ port }: FaultProxy) => `amqp://guest:guest@127.0.0.1:${port}?heartbeat=2`

describe.concurrent('a link', () => {
  test('that is half open is found out by its heartbeat, and what runs settles what comes back', async ({
    broker,
    queue,
    link,
    startDaemon,
  }) => {
    const release = join(temporaryFolder('release'), 'now')
    const worker = workerThat(waitForFile(release))
    const daemon = await startDaemon({
      url: through(link),
      script: worker.path,
      args: ['--ack', 'completed', '--keep-alive', 'off'],
    })
    await daemon.waitForLine('Consuming.')
    await publishAll(broker, queue, [{}], { messageId: 'M-1' })
    await eventually('it runs', () => worker.executions().length === 1)
    link.freeze()
    await eventually('it consumes again', () => count(daemon.log, 'Consuming.') === 2)
    // The broker finds out for itself that nobody is there any more.
    await daemon.waitForLine('Delivered again while it is executed: that execution goes on, and settles it.')
    writeFileSync(release, '')
    await daemon.waitForLine('Executed.')
    expect(worker.executions()).toEqual(['M-1 1 0'])
    await eventually('it is acked', async () => (await countsOf(broker, queue))?.unacked === 0)
  })

  test('that takes connections and does not serve them is given up, and tried again', async ({
    link,
    startDaemon,
  }) => {
    link.silence()
    const daemon = await startDaemon({ url: through(link) })
    const line = await daemon.waitForLine('Not consuming; trying again until it works.')
    expect(line['reason']).toMatch(/no connection to .* within 10000 ms$/)
    // The next try may have begun already.
    await link.heal()
    await daemon.waitForLine('Consuming.')
  })

  test('that is dead does not keep a daemon from ending at its drain timeout', async ({
    link,
    startDaemon,
  }) => {
    const daemon = await startDaemon({ url: through(link), args: ['--drain-timeout', '300ms'] })
    await daemon.waitForLine('Consuming.')
    link.freeze()
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 75 })
  })
})
