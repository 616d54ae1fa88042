import type { PoolPage } from './views.ts'

/** How many children a pool has, and how many of them have something to do. */
export interface PoolChildren {
  readonly busy: number
  readonly children: number
}

/** Of a child that has nothing to do; the second one keeps a connection, on which nothing comes. */
const FREE: readonly string[] = ['Idle', 'Reading headers']

/** By its list of processes: with connections that are kept, the sums of a status page are wrong (php-src#14212). */
export function childrenOf({ processes }: Pick<PoolPage, 'processes'>): PoolChildren {
  const busy = processes.filter(({ state }) => !FREE.includes(state)).length
  // One of them is busy with the page itself.
  return { busy: Math.max(0, busy - 1), children: processes.length }
}
