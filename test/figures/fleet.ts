import { setTimeout as sleep } from 'node:timers/promises'
import { fatesOf } from '../chaos/fates.ts'
import type { Figure } from '../chaos/figures.ts'
import { Stand } from '../chaos/stand.ts'
import { type BridgeProcess, spawnBridge } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { childrenOf, isAlive } from '../support/processes.ts'
import { type Measurement, none, type Site, seconds } from './figure.ts'
import { Load } from './load.ts'

const INSTANCES = 4
const CONCURRENCY = 4
/** Milliseconds between two kills, on average. */
const INTERVAL = 1_000
/** Milliseconds. */
const DRAIN = 10_000
/** Milliseconds of each round with recycling, and of each without. */
const ROUND = 20_000
const ROUNDS = 3

/** Processes and supervisors that are killed under load, and what recycling costs. */
export const fleet: Measurement = async (site) => [
  ...(await processesKilled(site)),
  ...(await supervisorKilled(site)),
  ...(await recycling(site)),
]

async function processesKilled(site: Site): Promise<Figure[]> {
  const { kills } = site
  const stand = await standOf(site, 'killed')
  const supervisor = await startFleet(site, stand)
  const load = new Load(stand, { ms: 10 })
  for (let n = 0; n < kills; n += 1) {
    // As often after a short while as after a long one: some are killed while they start.
    await sleep(2 * INTERVAL * Math.random())
    const processes = childrenOf(supervisor.pid)
    const victim = processes[Math.floor(Math.random() * processes.length)]
    if (victim !== undefined) process.kill(victim, 'SIGKILL')
  }
  await load.stop()
  await eventually('all are back', () => childrenOf(supervisor.pid).length === INSTANCES, { within: 35_000 })
  const { extra, lost } = await fatesIn(stand)
  site.say(`  ${kills} kills, ${stand.published.size} messages: ${extra} executions more than messages`)
  const of = `${kills} processes of ${INSTANCES} killed`
  return [
    none(`${of}: lost`, lost),
    { what: `${of}: executed again, for each killed`, value: extra / kills, atMost: CONCURRENCY, unit: '' },
  ]
}

async function supervisorKilled(site: Site): Promise<Figure[]> {
  const stand = await standOf(site, 'supervisor')
  const former = await startFleet(site, stand)
  const load = new Load(stand, { ms: 10 })
  await sleep(2_000)
  const processes = childrenOf(former.pid)
  const killed = performance.now()
  process.kill(former.pid, 'SIGKILL')
  const successor = startFleet(site, stand)
  await eventually('they are gone', () => !processes.some(isAlive), { within: 4 * DRAIN })
  const gone = performance.now() - killed
  await successor
  await sleep(1_000)
  await load.stop()
  const { extra, lost } = await fatesIn(stand)
  return [
    none('supervisor killed: lost', lost),
    none('supervisor killed: executed twice', extra),
    seconds('supervisor killed: until its processes are gone', gone, DRAIN / 1_000),
  ]
}

/** One after the other, and again: these machines are not always as fast. */
async function recycling(site: Site): Promise<Figure[]> {
  const rates: Record<'with' | 'without', number[]> = { with: [], without: [] }
  let gap = 0
  let missing = 0
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const name of ['without', 'with'] as const) {
      const stand = await standOf(site, `${name}-${round}`)
      const args = name === 'with' ? ['--max-messages', '200'] : []
      const supervisor = await startFleet(site, stand, args)
      const load = new Load(stand, { ms: 10 })
      await sleep(2_000)
      const from = Date.now()
      await sleep(ROUND)
      const to = Date.now()
      await load.stop()
      const { lost, extra } = await fatesIn(stand)
      missing += lost + extra
      const ends = stand.journal.read().flatMap(({ event, time }) => (event === 'done' ? [time] : []))
      const within = [
        from,
        ...ends.filter((time) => time >= from && time <= to).toSorted((a, b) => a - b),
        to,
      ]
      rates[name].push((within.length - 2) / (ROUND / 1_000))
      if (name === 'with')
        gap = Math.max(gap, ...within.slice(1).map((time, i) => time - (within[i] ?? time)))
      const records = supervisor.log.filter(({ reason }) => reason === 'max-messages').length
      site.say(
        `  ${name} recycling: ${rates[name].at(-1)?.toFixed(0)} messages/s, ${records} log lines of it`,
      )
      await supervisor.kill()
    }
  }
  const median = (all: readonly number[]) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0
  return [
    {
      what: 'messages/s without recycling, against with --max-messages 200',
      value: median(rates.without) / median(rates.with),
      atMost: 1 / 0.9,
      unit: '',
    },
    seconds('recycling: longest time without a completed message', gap, 1),
    none('recycling: lost or executed twice', missing),
  ]
}

const standOf = ({ broker, releases }: Site, name: string): Promise<Stand> =>
  Stand.open(
    { broker, mode: 'completed', queue: `fleet-${name}`, pool: { children: INSTANCES * CONCURRENCY * 2 } },
    releases,
  )

/** Resolves when one of its processes consumes. */
async function startFleet(
  { broker, releases }: Site,
  stand: Stand,
  more: readonly string[] = [],
): Promise<BridgeProcess> {
  const where = ['--url', broker.url, '--queue', stand.queue, '--socket', stand.pool.socket]
  const what = ['--script', stand.worker.script, '--ack', 'completed', '--log-format', 'json']
  const hands = ['--instances', String(INSTANCES), '--concurrency', String(CONCURRENCY)]
  const limit = ['--drain-timeout', `${DRAIN}ms`]
  const supervisor = await spawnBridge(['run', ...where, ...what, ...hands, ...limit, ...more])
  releases.push(() => supervisor.kill())
  stand.serve(supervisor)
  await supervisor.waitForLine('Consuming.')
  return supervisor
}

/** How many executions there were beyond one for each message, and how many messages had none. */
async function fatesIn(stand: Stand): Promise<{ readonly extra: number; readonly lost: number }> {
  const { lost, stuck } = fatesOf('completed', stand.published, await stand.evidence())
  const done = stand.journal.read().filter(({ event }) => event === 'done').length
  return {
    lost: lost.length + stuck.length,
    extra: done - (stand.published.size - lost.length - stuck.length),
  }
}
