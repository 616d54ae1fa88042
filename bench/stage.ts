import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type OwnBroker, startBroker } from '../test/support/broker.ts'
import { eventually } from '../test/support/eventually.ts'
import { type OwnedProcess, spawnOwned } from '../test/support/owned-process.ts'
import { type Pool, startPool } from '../test/support/pool.ts'
import type { PoolOptions } from '../test/support/pool-configuration.ts'
import { readPage } from '../test/support/pool-page.ts'
import { temporaryFolder } from '../test/support/run-folder.ts'
import type { Contestant, Place } from './contestants.ts'
import { BenchQueue } from './queue.ts'

/** Children of the pool, and so messages that are executed at a time, where no section says otherwise. */
export const CHILDREN = 4

/** Milliseconds after which what a contestant has in its hands is acked. */
const SETTLED_AFTER = 300

/** The private services, and one run after the other on them. */
export class Stage {
  readonly broker: OwnBroker
  readonly pool: Pool
  readonly queue: BenchQueue
  /** A line for each execution of recording-worker.php. */
  readonly records: string
  readonly #folder: string

  /** Starts a broker and a pool of 4 static children with opcache. */
  static async open(): Promise<Stage> {
    const folder = temporaryFolder('bench')
    const records = join(folder, 'records')
    const broker = await startBroker()
    const pool = await startBenchPool(CHILDREN, { RECORDS: records })
    return new Stage(folder, records, broker, pool, await BenchQueue.open(broker.url))
  }

  private constructor(folder: string, records: string, broker: OwnBroker, pool: Pool, queue: BenchQueue) {
    this.#folder = folder
    this.records = records
    this.broker = broker
    this.pool = pool
    this.queue = queue
  }

  place(script: string, { socket }: Pick<Pool, 'socket'> = this.pool, concurrency = CHILDREN): Place {
    return { port: this.broker.port, socket, script, concurrency }
  }

  /** Starts a contestant's processes; their output goes to a file. */
  async start(
    contestant: Contestant,
    place: Place,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<OwnedProcess[]> {
    const [program = '', ...args] = contestant.command(place)
    const { PATH, HOME } = process.env
    const output = openSync(this.#output, 'w')
    try {
      const started: OwnedProcess[] = []
      for (let count = contestant.processes ?? 1; count > 0; count -= 1) {
        const options = {
          env: { PATH, HOME, ...contestant.environment?.(place), ...environment },
          stdio: ['ignore', output, output] as 'ignore'[],
        }
        started.push(await spawnOwned(program, args, options))
      }
      return started
    } finally {
      closeSync(output)
    }
  }

  /** Fails with the end of their output when one of the processes has ended by itself. */
  mustRun(processes: readonly OwnedProcess[]): void {
    if (processes.every(({ exit }) => exit === undefined)) return
    throw new Error(`It has ended by itself:\n${this.output().slice(-2_000)}`)
  }

  /** What the last contestant wrote. */
  output(): string {
    return readFileSync(this.#output, 'utf8')
  }

  /** Ends a contestant that has emptied the queue. Throws when that is not so, or when it does not end well. */
  async stop(processes: readonly OwnedProcess[]): Promise<void> {
    await sleep(SETTLED_AFTER)
    for (const owned of processes) owned.signal('SIGTERM')
    for (const { code, signal } of await Promise.all(processes.map(({ exited }) => exited))) {
      if (code !== 0) throw new Error(`It ended with ${code ?? signal}:\n${this.output().slice(-2_000)}`)
    }
    await sleep(SETTLED_AFTER)
    const left = await this.queue.ready()
    if (left > 0) throw new Error(`${left} messages came back to the queue: they had not been acked`)
  }

  async close(): Promise<void> {
    await this.queue.close()
    await this.pool.close()
    await this.broker.close()
  }

  get #output(): string {
    return join(this.#folder, 'output.log')
  }
}

/** Static children with opcache, as a pool for background work should have. */
export function startBenchPool(
  children: number,
  environment: Readonly<Record<string, string>>,
  more: Pick<PoolOptions, 'extensions' | 'ini'> = {},
): Promise<Pool> {
  return startPool({ children, opcache: true, environment, ...more })
}

/** Requests that the pool's children have executed so far. */
export async function executedRequests(pool: Pool): Promise<number> {
  const children = await eventually('the status page answers', () => readPage(pool))
  return children.reduce((sum, { requests }) => sum + requests, 0)
}
