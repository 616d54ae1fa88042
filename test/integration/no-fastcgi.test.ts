import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { BridgeProcess } from '../support/bridge-process.ts'
import type { Broker } from '../support/broker-api.ts'
import { count, HOLDING } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { expectCounts } from '../support/queue-counts.ts'
import { workerThat } from '../support/worker-script.ts'

/* Whoever takes our connections and never answers in FastCGI has executed nothing: all messages are kept, in both modes. */

const MESSAGES = 20
const MODES = [
  ['completed', ['--ack', 'completed', '--retry-delay', '100ms', '--max-attempts', '2']],
  ['dispatched', ['--ack', 'dispatched']],
] as const

test.for(MODES)(
  '--ack %s: a pool that does not allow our address (listen.allowed_clients) is a hold',
  async ([, args], { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ listen: 'tcp', settings: { 'listen.allowed_clients': '10.9.9.9' } })
    const worker = workerThat('')
    await publishAll(broker, queue, numbers(MESSAGES))
    const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args })
    const { reason } = await daemon.waitForLine(HOLDING)
    expect(reason).toContain('listen.allowed_clients')
    const disallowed = () => pool.errorLog().split('Connection disallowed').length - 1
    await eventually('it has been tried some times', () => disallowed() > 5)
    await expectAllKept(broker, queue, daemon)
    expect(worker.executions()).toEqual([])
  },
)

test.for(MODES)(
  '--ack %s: an HTTP server in place of the pool is a hold',
  async ([, args], { broker, queue, startDaemon }) => {
    let connections = 0
    const server = createServer((_, response) => response.end())
    server.on('connection', () => {
      connections += 1
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const { port } = server.address() as AddressInfo
      await publishAll(broker, queue, numbers(MESSAGES))
      const daemon = await startDaemon({ socket: `127.0.0.1:${port}`, args })
      await daemon.waitForLine(HOLDING)
      const before = connections
      await eventually('it has been tried some times', () => connections > before + 5)
      await expectAllKept(broker, queue, daemon)
    } finally {
      server.close()
      server.closeAllConnections()
    }
  },
)

/** Neither lost, nor executed again, nor given up; and a daemon that is stopped leaves them all in their queue. */
async function expectAllKept(broker: Broker, queue: string, daemon: BridgeProcess): Promise<void> {
  // Time enough for the attempts that there would be.
  await sleep(1_000)
  expect(daemon.log.filter(({ outcome }) => outcome !== undefined)).toEqual([])
  expect(count(daemon.log, HOLDING)).toBe(1)
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  await expectCounts(broker, queue, { ready: MESSAGES, unacked: 0 })
  await expectCounts(broker, `${queue}.dead`, { ready: 0, unacked: 0 })
}
