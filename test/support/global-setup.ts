import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { type OwnBroker, startBroker } from './broker.ts'
import type { BrokerAddress } from './broker-api.ts'
import { complaintsOf } from './broker-complaints.ts'
import { startPool } from './pool.ts'
import type { PoolAddress } from './pool-configuration.ts'
import { RoomWatch } from './room-watch.ts'
import { livingGroups, runFolder } from './run-folder.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    broker: BrokerAddress
    pool: SharedPool
  }
}

/** The pool that the tests share: static, 8 children. Who needs another kind, or disturbs it, starts one. */
export interface SharedPool extends PoolAddress {
  /** Where worker-php/worker.php logs. Tests find their lines by a daemon id of their own. */
  readonly workerLog: string
}

/** Starts what all test files share; the returned function ends it and fails the run when a test left something. */
export default async function start(project: TestProject): Promise<() => Promise<void>> {
  const workerLog = join(runFolder(), 'worker.log')
  const environment = { WORKER_LOG: workerLog, WORKER_SLEEP_MS: '0' }
  const room = new RoomWatch(runFolder())
  const pool = await startPool({ children: 8, environment })
  const broker = await startBroker()
  const { socket, statusSocket, directory } = pool
  project.provide('pool', { socket, statusSocket, directory, workerLog })
  project.provide('broker', broker.address)

  return async () => {
    const lowest = room.close()
    if (project.vitest.state.getCountOfFailedTests() > 0)
      complain([`${lowest} MiB were free on the disk at the least`, ...complaintsOf(broker.directory)])
    const left = await leftOn(broker)
    await broker.close()
    await pool.close()
    left.push(...livingGroups().map(({ group, command }) => `process ${group}: ${command}`))
    if (left.length === 0) return
    process.exitCode = 1 // Vitest prints what a teardown throws, and exits with 0
    throw new Error(`The tests left behind:\n  ${left.join('\n  ')}`)
  }
}

function complain(lines: readonly string[]): void {
  process.stdout.write(`\nThe shared broker's surroundings, and its log:\n  ${lines.join('\n  ')}\n`)
}

async function leftOn(broker: OwnBroker): Promise<string[]> {
  const queues = await broker.api<{ name: string }[]>('GET', '/queues?columns=name')
  const virtualHosts = await broker.api<{ name: string }[]>('GET', '/vhosts?columns=name')
  return [
    ...queues.map(({ name }) => `queue ${name}`),
    ...virtualHosts.filter(({ name }) => name !== '/').map(({ name }) => `virtual host ${name}`),
  ]
}
