import { rehearse, replay } from '../../operate/dead-letters/replay.ts'
import { Departures } from './departures.ts'
import { exitCodeAfter, type Task } from './with-place.ts'

/**
 * `dead-letters replay`: a line for each letter before it is published. Those are the ones that may be in both queues where this is killed.
 */
export async function replayLetters(task: Task): Promise<number> {
  const { config, place, signal } = task
  const { to, rate, dryRun } = config
  const departures = new Departures(task, dryRun)
  const perform = dryRun ? rehearse : replay
  const order = { selection: config, to, rate }
  const walked = await departures.follow(perform(place, order, departures, signal))
  return exitCodeAfter(walked, departures.exitCode)
}
