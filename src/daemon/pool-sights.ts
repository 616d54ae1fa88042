import type { PoolReport } from '../control/protocol.ts'
import { childrenOf } from '../observe/pool-children.ts'
import type { PoolReading, PoolView } from '../observe/views.ts'

/** Milliseconds between two looks at the pools: each takes a child of each. */
const INTERVAL = 10_000

/** What the status pages of pools said last. Whoever asks gets that, and waits for nothing. */
export class PoolSights {
  #reports: readonly PoolReport[] = []
  /** By `performance.now()`. */
  #nextLook = Number.NEGATIVE_INFINITY

  /** @returns what is known by now; nothing after the first time */
  look(pools: readonly PoolView[]): readonly PoolReport[] {
    if (performance.now() >= this.#nextLook) void this.#ask(pools)
    return this.#reports
  }

  async #ask(pools: readonly PoolView[]): Promise<void> {
    this.#nextLook = Number.POSITIVE_INFINITY
    const reports = await Promise.all(pools.map(async (pool) => reportOf(pool.pool, await pool.read())))
    this.#reports = reports.filter((report) => report !== undefined)
    this.#nextLook = performance.now() + INTERVAL
  }
}

function reportOf(pool: string, reading: PoolReading): PoolReport | undefined {
  if (reading.kind !== 'up') return undefined
  const { status } = reading
  return { pool, ...childrenOf(status), listen_queue: status.listenQueue }
}
