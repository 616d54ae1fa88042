import { existsSync, readFileSync, rmSync } from 'node:fs'
import { eventually } from '../test/support/eventually.ts'
import type { Contestant } from './contestants.ts'
import { emptied } from './drain.ts'
import type { Stage } from './stage.ts'
import type { Course } from './work.ts'

/** One execution of recording-worker.php: clock readings in nanoseconds, of the machine's monotonic clock. */
export interface Recorded {
  readonly number: number
  readonly published: bigint
  readonly started: bigint
}

/**
 * Sees to it that a contestant executes every message exactly once, before its speed counts: the worker of this round
 * writes down each number.
 *
 * @throws saying what is missing or came twice
 */
export async function verify(
  stage: Stage,
  contestant: Contestant,
  messages: number,
  { pool, recorded: { script, fill } }: Course,
): Promise<void> {
  if (contestant.executedBy === 'nobody') return
  rmSync(stage.records, { force: true })
  await fill(stage.queue, messages)
  const processes = await stage.start(contestant, stage.place(script, pool), { RECORDS: stage.records })
  try {
    await emptied(stage, processes)
    await stage.stop(processes)
  } finally {
    for (const owned of processes) await owned.kill()
  }
  // What was acked when it was dispatched may still be in the pool's backlog.
  const recorded = await eventually(`${messages} messages are executed`, () => {
    const seen = readRecorded(stage.records)
    return seen.length >= messages && seen
  })
  const different = new Set(recorded.map(({ number }) => number)).size
  if (recorded.length !== messages || different !== messages) {
    throw new Error(
      `${contestant.name}: of ${messages} messages, ${different} were executed, in ${recorded.length} executions`,
    )
  }
}

/** The whole lines of the records file. */
export function readRecorded(path: string): Recorded[] {
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'latin1')
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [number = '', published = '', started = ''] = line.split(' ')
      return { number: Number(number), published: BigInt(published), started: BigInt(started) }
    })
}
