import type { Pool } from '../test/support/pool.ts'
import { script } from './contestants.ts'
import type { BenchQueue } from './queue.ts'
import type { Stage } from './stage.ts'

/** What contestants are to execute. */
export interface Work {
  /** Of the pool. */
  readonly script: string
  /** Fills the queue with messages that are numbered from 1. */
  fill(queue: BenchQueue, count: number): Promise<void>
}

/** What contestants compete in. */
export interface Course {
  readonly pool: Pool
  /** The work whose speed counts, and the same with each number written down. */
  readonly measured: Work
  readonly recorded: Work
}

const fill = (queue: BenchQueue, count: number): Promise<void> => queue.fill(count)

/** The trivial workers of the bench, in the pool of all sections. */
export const plain = ({ pool }: Stage): Course => ({
  pool,
  measured: { script: script('worker'), fill },
  recorded: { script: script('recording-worker'), fill },
})
