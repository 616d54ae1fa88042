import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connect } from 'amqplib'
import { spawnBridge } from '../support/bridge-process.ts'
import { cpuOfDescendants } from '../support/cpu-time.ts'
import { eventually } from '../support/eventually.ts'
import { publishAll } from '../support/messages.ts'
import { spawnOwned } from '../support/owned-process.ts'
import { startPool } from '../support/pool.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import type { Measurement, Site } from './figure.ts'

const DAEMONS = 20
/** Pairs of some seconds with somebody who watches and as many without. */
const PAIRS = 16
/** Milliseconds. */
const ROUND = 2_500
/** Messages that are in the queue at first: more than are executed. */
const MESSAGES = 250_000
const BATCH = 10_000

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/**
 * What it costs a fleet at full load that somebody watches it with `fpm-bridge top`, on the same machine: in CPU of all that takes part,
 * broker, daemons, pool and top, for each message. At full load that is what messages/s lose, and it says so however busy others are.
 */
export const top: Measurement = async (site) => {
  const { broker, releases, say } = site
  const queue = 'watched'
  const pool = await startPool({ children: DAEMONS, opcache: true })
  releases.push(() => pool.close())
  const script = join(temporaryFolder('worker'), 'worker.php')
  writeFileSync(script, '<?php')
  const batch = Array.from({ length: BATCH }, (_, index) => ({ number: index }))
  for (let n = 0; n < MESSAGES; n += BATCH) await publishAll(broker, queue, batch)
  const connection = await connect(broker.url)
  releases.push(() => connection.close())
  const channel = await connection.createChannel()
  const left = async () => (await channel.checkQueue(queue)).messageCount

  const where = ['--url', broker.url, '--queue', queue, '--socket', pool.socket, '--script', script]
  const how = ['--ack', 'completed', '--concurrency', '1', '--log-level', 'warn', '--control']
  for (let n = 1; n <= DAEMONS; n += 1) {
    const daemon = await spawnBridge(['run', ...where, ...how, '--daemon-id', `watched-${n}`])
    releases.push(() => daemon.kill())
  }
  await eventually('all consume', async () => (await channel.checkQueue(queue)).consumerCount === DAEMONS)
  const watching = await watch(site)
  await sleep(10_000)

  const cost = { with: 0, without: 0 }
  const ratios: number[] = []
  for (let pair = 0; pair < PAIRS; pair += 1) {
    // What drifts, and what comes again and again, meets both alike.
    const kinds = Math.random() < 0.5 ? (['with', 'without'] as const) : (['without', 'with'] as const)
    for (const kind of kinds) {
      process.kill(watching, kind === 'with' ? 'SIGCONT' : 'SIGSTOP')
      const [before, taken] = [await left(), cpuOfDescendants()]
      await sleep(ROUND)
      const after = await left()
      if (after === 0) throw new Error(`${MESSAGES} messages are too few`)
      cost[kind] = (cpuOfDescendants() - taken) / (before - after)
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
