import { expect } from 'vitest'
import { type BridgeProcess, leaveAtOnce } from '../support/bridge-process.ts'
import type { Broker } from '../support/broker-api.ts'
import { closeConnection } from '../support/broker-connections.ts'

import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { test } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'
import { countsOf } from '../support/queue-counts.ts'

/** What it has opened at its start. */
const closePublisher = (broker: Broker, { log }: BridgeProcess) =>
  closeConnection(broker, `${log[0]?.['daemon_id']} publisher`)

/* The daemon leaves while copies of messages wait for a connection on which they can be published. */

test.for<[string, string, (daemon: BridgeProcess) => Promise<void>]>([
  ['past the drain timeout', '300ms', async (daemon) => daemon.signal('SIGTERM')],
  [
    'at a second signal',
    '1m',
    async (daemon) => {
      daemon.signal('SIGTERM')
      await daemon.waitForLine('Draining.')
      await leaveAtOnce(daemon)
    },
  ],
])(
  '%s the log names what is lost, and the exit code is 75',
  async ([, drainTimeout, end], { broker, queue, startDaemon }) => {
    const [port] = (await freePorts(1)) as [number]
    const proxy = await startFaultProxy(port, broker.port)
    try {
      const daemon = await startDaemon({
        url: `amqp://127.0.0.1:${port}`,
        script: '/nowhere/worker.php',
        args: ['--drain-timeout', drainTimeout],
      })
      await daemon.waitForLine('Consuming.')
      // The session works; the connection on which the message would be put back never opens.
      proxy.silence()
      await closePublisher(broker, daemon)
      await publishAll(broker, queue, [{}], { messageId: 'M-1' })
      await daemon.waitForLine('Holding')
      await end(daemon)

      expect(await daemon.exited).toMatchObject({ code: 75 })
      expect(daemon.log.filter(({ outcome }) => outcome === 'lost')).toMatchObject([
        { level: 'error', message_id: 'M-1', message: expect.stringContaining('not put back in time: lost') },
      ])
    } finally {
      await proxy.close()
    }
  },
)

test('any number of copies may wait, without a word of Node.js about listeners', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const [port] = (await freePorts(1)) as [number]
  const proxy = await startFaultProxy(port, broker.port)
  try {
    const args = ['--concurrency', '25', '--drain-timeout', '300ms']
    const daemon = await startDaemon({ url: `amqp://127.0.0.1:${port}`, args })
    await daemon.waitForLine('Consuming.')
    proxy.silence()
    await closePublisher(broker, daemon)
    await publishAll(broker, queue, Array(25).fill('not JSON'))
    await eventually('all are here', async () => (await countsOf(broker, queue))?.unacked === 25)
    daemon.signal('SIGTERM')

    expect(await daemon.exited).toMatchObject({ code: 75 })
    expect(daemon.log.filter(({ level }) => level === undefined)).toEqual([])
    expect(count(daemon.log, 'Not settled: the broker delivers it again.')).toBe(25)
  } finally {
    await proxy.close()
  }
})
