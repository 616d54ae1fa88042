import { spawnBridge } from '../test/support/bridge-process.ts'
import { COMPLETED, script } from './contestants.ts'
import { progress } from './progress.ts'
import { numbered } from './queue.ts'
import type { Stage } from './stage.ts'
import { type Spread, spread } from './statistics.ts'

/** Starts measured. */
const STARTS = 9

/** Milliseconds from the start of the process to the first message dispatched. */
export async function startTime(stage: Stage): Promise<Spread> {
  const [, , ...args] = COMPLETED.command(stage.place(script('worker')))
  const times: number[] = []
  for (let start = 1; start <= STARTS; start += 1) {
    progress(`start ${start} of ${STARTS}`)
    await stage.queue.fill(1, numbered)
    const started = performance.now()
    const daemon = await spawnBridge([...args, '--log-level', 'debug'])
    await daemon.waitForLine('Dispatched.')
    times.push(performance.now() - started)
    daemon.signal('SIGTERM')
    const { code } = await daemon.exited
    if (code !== 0) throw new Error(`the daemon ended with ${code}`)
  }
  return spread(times)
}
