import { setTimeout as sleep } from 'node:timers/promises'
import type { OwnedProcess } from '../test/support/owned-process.ts'
import type { Pool } from '../test/support/pool.ts'
import type { Contestant, Place } from './contestants.ts'
import { groupCpuSeconds } from './cpu.ts'
import type { Stage } from './stage.ts'

/** Microseconds of CPU for each message. */
export interface CpuPerMessage {
  /** The contestant's own processes, with those they started. */
  readonly daemon: number
  readonly broker: number
  readonly pool: number
}

export interface Drained {
  /** Messages a second. */
  readonly rate: number
  readonly cpu: CpuPerMessage
}

/** Milliseconds between two looks at the queue: seldom enough to cost the broker nothing that shows. */
const LOOK_EVERY = 10

/** Milliseconds without any message taken, after which a contestant has failed. */
const STALLED_AFTER = 30_000

/**
 * Shares of the messages that are left when measuring begins, and when it ends. A daemon runs for days: the first ten thousand messages are
 * those that Node.js's compiler learns from.
 */
const MEASURED = { from: 0.8, to: 0.1 } as const

interface Look {
  readonly at: number
  readonly left: number
  readonly cpu: { readonly daemon: number; readonly broker: number; readonly pool: number }
}

/**
 * Has a contestant empty the queue, which holds `messages`, and measures it from 80 % to 10 % of them: both ends are
 * looked at while it works, so starting and stopping do not count, and neither does the time between two looks.
 *
 * @throws when a process ends, or a message is not acked
 */
export async function drain(
  stage: Stage,
  contestant: Contestant,
  place: Place,
  messages: number,
  pool: Pool = stage.pool,
): Promise<Drained> {
  const processes = await stage.start(contestant, place)
  try {
    const from = await lookWhen(stage, processes, pool, messages * MEASURED.from)
    const to = await lookWhen(stage, processes, pool, messages * MEASURED.to)
    await emptied(stage, processes)
    await stage.stop(processes)
    if (to.left === 0) throw new Error(`${contestant.name}: too fast to be measured on so few messages`)
    const count = from.left - to.left
    const perMessage = (who: keyof Look['cpu']) => ((to.cpu[who] - from.cpu[who]) * 1_000_000) / count
    return {
      rate: (count / (to.at - from.at)) * 1_000,
      cpu: { daemon: perMessage('daemon'), broker: perMessage('broker'), pool: perMessage('pool') },
    }
  } finally {
    for (const owned of processes) await owned.kill()
  }
}

/** Waits until no message is ready; the last ones may still be in the contestant's hands. */
export async function emptied(stage: Stage, processes: readonly OwnedProcess[]): Promise<void> {
  await reached(stage, processes, 0)
}

/**
 * Waits until at most `atMost` messages are ready.
 *
 * @throws when a process has ended, or none took a message for 30 s
 */
export async function reached(
  stage: Stage,
  processes: readonly OwnedProcess[],
  atMost: number,
): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let progressAt = performance.now(); ; await sleep(LOOK_EVERY)) {
    const left = await stage.queue.ready()
    if (left <= atMost) return left
    stage.mustRun(processes)
    if (left < least) progressAt = performance.now()
    least = Math.min(least, left)
    if (performance.now() - progressAt > STALLED_AFTER)
      throw new Error(
        `The contestant stands still, with ${left} messages left:\n${stage.output().slice(-2_000)}`,
      )
  }
}

/** The first look with at most `atMost` messages left. */
async function lookWhen(
  stage: Stage,
  processes: readonly OwnedProcess[],
  pool: Pool,
  atMost: number,
): Promise<Look> {
  const left = await reached(stage, processes, atMost)
  const at = performance.now()
  const daemon = processes.reduce((sum, { pid }) => sum + groupCpuSeconds(pid), 0)
  const broker = groupCpuSeconds(stage.broker.pid)
  return { at, left, cpu: { daemon, broker, pool: groupCpuSeconds(pool.masterPid) } }
}
