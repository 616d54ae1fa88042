import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { test as base, inject } from 'vitest'
import { type BridgeProcess, spawnBridge } from './bridge-process.ts'
import { ApiError, type Broker, brokerAt } from './broker-api.ts'
import type { SharedPool } from './global-setup.ts'
import { type Pool, startPool } from './pool.ts'
import type { PoolOptions } from './pool-configuration.ts'

/** The smallest worker, which logs and answers 200. */
export const workerScript = fileURLToPath(new URL('../../worker-php/worker.php', import.meta.url))

/** The path of one of the scripts in test/support/php. */
export const testScript = (name: string): string => fileURLToPath(new URL(`php/${name}`, import.meta.url))

export interface DaemonSettings {
  /** `--socket`; default the shared pool's. */
  readonly socket?: string
  /** `--script`; default worker-php/worker.php. */
  readonly script?: string
  /** `--url`; default the shared broker's. */
  readonly url?: string
  /** More arguments, such as `['--ack', 'completed']`. */
  readonly args?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** A command that executes the one it is given, such as `['setpriv', ...]`. */
  readonly under?: readonly string[]
}

export interface Fixtures {
  /** The broker that all test files share. */
  broker: Broker
  /** The pool that all test files share. */
  sharedPool: SharedPool
  /** A name of the test's own. At its end every queue whose name begins so is deleted: `.dead`, `.retry.*` too. */
  queue: string
  /** Starts `fpm-bridge run` on the test's queue, with a JSON log; killed at the end if still there. */
  startDaemon: (settings?: DaemonSettings) => Promise<BridgeProcess>
  /** Starts a pool of the test's own; closed at its end. */
  ownPool: (options?: PoolOptions) => Promise<Pool>
}

/** Vitest's `test` with the services as fixtures: each is made for the tests that ask for it, and taken down again. */
export const test = base.extend<Fixtures>({
  broker: brokerAt(inject('broker')),
  sharedPool: inject('pool'),

  queue: async ({ broker }, use) => {
    const name = `test-${randomBytes(4).toString('hex')}`
    await use(name)
    await deleteQueues(broker, name)
  },

  startDaemon: async ({ broker, sharedPool, queue }, use) => {
    const daemons: BridgeProcess[] = []
    await use(async ({ socket, script, url, args = [], environment, under } = {}) => {
      const where = ['--url', url ?? broker.url, '--queue', queue, '--socket', socket ?? sharedPool.socket]
      const how = ['--script', script ?? workerScript, '--log-format', 'json']
      const daemon = await spawnBridge(['run', ...where, ...how, ...args], environment, under)
      daemons.push(daemon)
      return daemon
    })
    for (const daemon of daemons.reverse()) await daemon.kill()
  },

  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern which fixtures this one needs.
  ownPool: async ({}, use) => {
    const pools: Pool[] = []
    await use(async (options) => {
      const pool = await startPool(options)
      pools.push(pool)
      return pool
    })
    for (const pool of pools.reverse()) await pool.close()
  },
})

/** Deletes the queues of the virtual host `/` whose names begin with the prefix, whatever they hold. */
export async function deleteQueues(broker: Broker, prefix: string): Promise<void> {
  const queues = await broker.api<{ name: string }[]>('GET', '/queues/%2F?columns=name')
  for (const { name } of queues) {
    if (name.startsWith(prefix)) await deleteQueue(broker, name)
  }
}

/** Fine if it is gone already: it may have been exclusive, or have expired. */
async function deleteQueue(broker: Broker, name: string): Promise<void> {
  try {
    await broker.api('DELETE', `/queues/%2F/${encodeURIComponent(name)}`)
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error
  }
}
