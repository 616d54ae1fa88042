import { readFileSync, rmSync } from 'node:fs'
import { COMPLETED, script } from './contestants.ts'
import { drain } from './drain.ts'
import { NATIVE_KEPT, poolOnly } from './pool-only.ts'
import { progress } from './progress.ts'
import { type Stage, startBenchPool } from './stage.ts'
import { type Spread, spread } from './statistics.ts'

/** Seconds that the worker sleeps. */
const SLEEP = 0.02
/** Seconds of work, if all children worked all the time. */
const WORK = 4

const POOLS = [4, 16, 64, 128] as const

export interface Utilisation {
  /** Of the pool, and requests in flight at most. */
  readonly children: number
  /** Messages a second. */
  readonly rate: Spread
  /** Child-seconds that scripts took, by their own clock / child-seconds there were. */
  readonly used: Spread
  /** The same with the 20 ms that a script asks for: how late it is woken counts as unused. */
  readonly asleep: Spread
  /** As `used`, by the daemon's client without a broker: a closed loop on kept connections. */
  readonly poolOnly: Spread
}

/** Whether the daemon keeps pools of several sizes busy, while messages wait in the queue. */
export async function utilisation(stage: Stage, rounds: number): Promise<Utilisation[]> {
  const runs = new Map<number, Run[]>(POOLS.map((children) => [children, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const children of POOLS) {
      progress(`children, round ${round} of ${rounds}: ${children}`)
      runs.get(children)?.push(await run(stage, children))
    }
  }
  return [...runs].map(([children, all]) => ({
    children,
    rate: spread(all.map(({ rate }) => rate)),
    used: spread(all.map(({ rate, script }) => (rate * script) / children)),
    poolOnly: spread(all.map(({ poolOnly }) => poolOnly)),
    asleep: spread(all.map(({ rate }) => (rate * SLEEP) / children)),
  }))
}

interface Run {
  readonly rate: number
  /** Seconds that a script took, on average. */
  readonly script: number
  readonly poolOnly: number
}

async function run(stage: Stage, children: number): Promise<Run> {
  rmSync(stage.records, { force: true })
  const pool = await startBenchPool(children, { SLEEP_MS: String(SLEEP * 1_000), RECORDS: stage.records })
  try {
    const messages = Math.round((children / SLEEP) * WORK)
    await stage.queue.fill(messages)
    const place = stage.place(script('sleeping-worker'), pool, children)
    const { rate } = await drain(stage, COMPLETED, place, messages, pool)
    const seconds = meanSeconds(stage)
    rmSync(stage.records)
    const closedLoop = await poolOnly(NATIVE_KEPT, messages, place, pool)
    return { rate, script: seconds, poolOnly: (closedLoop.rate * meanSeconds(stage)) / children }
  } finally {
    await pool.close()
  }
}

/** What the records say: microseconds, one execution a line. */
function meanSeconds({ records }: Stage): number {
  const times = readFileSync(records, 'latin1').trim().split('\n').map(Number)
  return times.reduce((sum, time) => sum + time, 0) / times.length / 1_000_000
}
