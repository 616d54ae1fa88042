import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { spawnBridge } from '../support/bridge-process.ts'
import { cpuOfDescendants } from '../support/cpu-time.ts'
import { eventually } from '../support/eventually.ts'
import { spawnOwned } from '../support/owned-process.ts'
import type { Measurement, Site } from './figure.ts'
import { fullLoad } from './full-load.ts'

const DAEMONS = 20
/** Pairs of some seconds with somebody who watches and as many without. */
const PAIRS = 16
/** Milliseconds. */
const ROUND = 2_500
/** Messages that are in the queue at first: more than are executed. */
const MESSAGES = 250_000

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/**
 * What it costs a fleet at full load that somebody watches it with `fpm-bridge top`, on the same machine: in CPU of all that takes part,
 * broker, daemons, pool and top, for each message. At full load that is what messages/s lose, and it says so however busy others are.
 */
export const top: Measurement = async (site) => {
  const { releases, say } = site
  const { args, taken, consumers } = await fullLoad(site, 'watched', {
    children: DAEMONS,
    messages: MESSAGES,
  })
  const how = ['--ack', 'completed', '--concurrency', '1', '--log-level', 'warn', '--control']
  for (let n = 1; n <= DAEMONS; n += 1) {
    const daemon = await spawnBridge(['run', ...args, ...how, '--daemon-id', `watched-${n}`])
    releases.push(() => daemon.kill())
  }
  await eventually('all consume', async () => (await consumers()) === DAEMONS)
  const watching = await watch(site)
  await sleep(10_000)

  const cost = { with: 0, without: 0 }
  const ratios: number[] = []
  for (let pair = 0; pair < PAIRS; pair += 1) {
    // What drifts, and what comes again and again, meets both alike.
    const kinds = Math.random() < 0.5 ? (['with', 'without'] as const) : (['without', 'with'] as const)
    for (const kind of kinds) {
      process.kill(watching, kind === 'with' ? 'SIGCONT' : 'SIGSTOP')
      const [before, spent] = [await taken(), cpuOfDescendants()]
      await sleep(ROUND)
      const executed = (await taken()) - before
      cost[kind] = (cpuOfDescendants() - spent) / executed
    }
    ratios.push(cost.with / cost.without)
  }
  process.kill(watching, 'SIGCONT')
  const sorted = ratios.toSorted((a, b) => a - b)
  const [low, median, high] = [0.25, 0.5, 0.75].map((part) => sorted[Math.floor(PAIRS * part)]?.toFixed(4))
  say(
    `  ${DAEMONS} daemons: CPU of a message with top, against without: ${median} (half of the pairs: ${low} to ${high})`,
  )
  const what = `CPU of a message, of ${DAEMONS} daemons, with top against without it (median of ${PAIRS} pairs)`
  return [{ what, value: Number(median), atMost: 1.02, unit: '' }]
}

/** On a terminal of its own. @returns its process id */
async function watch({ broker, releases }: Site): Promise<number> {
  // The shell is there so that script(1) does not see that top is stopped: it would stop itself.
  const command = `${process.execPath} ${program} top --url ${broker.url}; :`
  const env = { PATH: process.env['PATH'], TERM: 'xterm', SHELL: '/bin/sh' }
  const terminal = await spawnOwned('script', ['-qfc', command, '/dev/null'], {
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  releases.push(() => terminal.kill())
  return eventually('top watches', () => {
    const shell = childOf(terminal.pid)
    return shell && childOf(shell)
  })
}

/** @returns undefined where it has none yet */
function childOf(pid: number): number | undefined {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  return child ? Number(child) : undefined
}
