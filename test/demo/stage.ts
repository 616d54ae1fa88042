import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BridgeProcess, spawnBridge } from '../support/bridge-process.ts'
import { startBroker } from '../support/broker.ts'
import type { Broker } from '../support/broker-api.ts'
import { startPool } from '../support/pool.ts'
import type { PoolAddress } from '../support/pool-configuration.ts'
import type { Releases } from '../support/releases.ts'
import { runFolder } from '../support/run-folder.ts'
import type { DemoOptions } from './options.ts'

/** The durable queue that all of it is about. */
export const QUEUE = 'commands'

const workerScript = fileURLToPath(new URL('../../worker-php/worker.php', import.meta.url))

/** The services, and the ways to start what plays on them. */
export interface Stage {
  readonly broker: Broker
  readonly pool: PoolAddress
  readonly workerLog: string
  startCaller(messages: number): Promise<BridgeProcess>
  startDaemon(id: string): Promise<BridgeProcess>
}

/**
 * Starts a private broker and a private pool.
 *
 * @param releases gets what takes each thing down, as soon as it is there
 */
export async function openStage({ children, sleep }: DemoOptions, releases: Releases): Promise<Stage> {
  const workerLog = join(runFolder(), 'worker.log')
  const environment = { WORKER_LOG: workerLog, WORKER_SLEEP_MS: String(sleep) }
  const pool = await startPool({ children, environment })
  releases.push(() => pool.close())
  const broker = await startBroker()
  releases.push(() => broker.close())

  async function start(args: readonly string[]): Promise<BridgeProcess> {
    const started = await spawnBridge(args)
    releases.push(() => started.kill())
    return started
  }

  return {
    broker,
    pool,
    workerLog,
    startCaller(messages) {
      const what = ['--count', String(messages), '--body', '{"number":"{n}"}']
      return start(['publish', '--url', broker.url, '--queue', QUEUE, ...what])
    },
    startDaemon(id) {
      const where = ['--url', broker.url, '--queue', QUEUE, '--socket', pool.socket, '--script', workerScript]
      const how = ['--daemon-id', id, '--concurrency', String(children), '--log-format', 'json']
      return start(['run', ...where, ...how])
    },
  }
}
