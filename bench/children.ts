import { COMPLETED, script } from './contestants.ts'
import { drain } from './drain.ts'
import { progress } from './progress.ts'
import { type Stage, startBenchPool } from './stage.ts'
import { type Spread, spread } from './statistics.ts'

/** Seconds that the worker sleeps: it waits for a database, say, and leaves the CPU to others. */
const SLEEP = 0.02
/** Seconds of work, if all children worked all the time. */
const WORK = 4

const POOLS = [4, 16, 64, 128] as const

export interface Utilisation {
  /** Of the pool, and requests in flight at most. */
  readonly children: number
  /** Messages a second. */
  readonly rate: Spread
  /** Child-seconds slept by the workers / child-seconds there were. All else a child does counts as unused. */
  readonly used: Spread
}

/** Whether the daemon keeps pools of several sizes busy, while messages wait in the queue. */
export async function utilisation(stage: Stage, rounds: number): Promise<Utilisation[]> {
  const rates = new Map<number, number[]>(POOLS.map((children) => [children, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const children of POOLS) {
      progress(`children, round ${round} of ${rounds}: ${children}`)
      rates.get(children)?.push(await rateOf(stage, children))
    }
  }
  return [...rates].map(([children, values]) => ({
    children,
    rate: spread(values),
    used: spread(values.map((rate) => (rate * SLEEP) / children)),
  }))
}

async function rateOf(stage: Stage, children: number): Promise<number> {
  const pool = await startBenchPool(children, { WORKER_SLEEP_MS: String(SLEEP * 1_000) })
  try {
    const messages = Math.round((children / SLEEP) * WORK)
    await stage.queue.fill(messages)
    const place = stage.place(script('worker'), pool, children)
    return (await drain(stage, COMPLETED, place, messages, pool)).rate
  } finally {
    await pool.close()
  }
}
