import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { spawnBridge } from '../test/support/bridge-process.ts'
import { COMPLETED, script } from './contestants.ts'
import { progress } from './progress.ts'
import { numbered } from './queue.ts'
import type { Stage } from './stage.ts'
import { ratios, type Spread, spread } from './statistics.ts'

/** Starts measured of each. */
const STARTS = 15

/** Milliseconds. */
export interface StartTime {
  /** From the start of the process to the first message dispatched. */
  readonly here: Spread
  /** What Node.js takes to start and end, with nothing to do: machines differ in that more than in all else. */
  readonly node: Spread
  /** Of another version, and how much longer this one takes, by pairs. */
  readonly before: { readonly there: Spread; readonly ratio: Spread } | undefined
}

/** @param checkout of another version, built, whose starts take turns with those of this one */
export async function startTime(stage: Stage, checkout: string | undefined): Promise<StartTime> {
  const [here, node, there]: [number[], number[], number[]] = [[], [], []]
  for (let start = 1; start <= STARTS; start += 1) {
    progress(`start ${start} of ${STARTS}`)
    node.push(emptyNode())
    here.push(await firstMessage(stage, undefined))
    if (checkout !== undefined) there.push(await firstMessage(stage, resolve(checkout, 'dist/main.js')))
  }
  const before = checkout === undefined ? undefined : { there: spread(there), ratio: ratios(here, there) }
  return { here: spread(here), node: spread(node), before }
}

async function firstMessage(stage: Stage, program: string | undefined): Promise<number> {
  const [, , ...args] = COMPLETED.command(stage.place(script('worker')))
  await stage.queue.fill(1, numbered)
  const started = Date.now()
  const daemon = await spawnBridge([...args, '--log-level', 'debug'], {}, [], program)
  // The line itself may wait for others.
  const { time } = await daemon.waitForLine('Dispatched.')
  const milliseconds = Date.parse(String(time)) - started
  daemon.signal('SIGTERM')
  const { code } = await daemon.exited
  if (code !== 0) throw new Error(`the daemon ended with ${code}`)
  return milliseconds
}

function emptyNode(): number {
  const started = performance.now()
  execFileSync(process.execPath, ['-e', '0'])
  return performance.now() - started
}
