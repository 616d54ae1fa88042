import { setTimeout as sleep } from 'node:timers/promises'
import type { Figure } from '../chaos/figures.ts'
import { Stand } from '../chaos/stand.ts'
import { spawnBridge } from '../support/bridge-process.ts'
import { type Commander, startCommander } from '../support/commander.ts'
import { eventually } from '../support/eventually.ts'
import { putMarker } from '../support/marker.ts'
import { type Measurement, none, type Site, seconds } from './figure.ts'
import { Load, publishMany } from './load.ts'

const DAEMONS = 8
const CONCURRENCY = 8
const IN_FLIGHT = DAEMONS * CONCURRENCY
const PINGS = 200
const PAUSES = 5

/** How soon operators are answered and obeyed, by 8 daemons with the ids of two hosts. */
export const control: Measurement = async (site) => [...(await pinged(site)), ...(await paused(site))]

async function pinged(site: Site): Promise<Figure[]> {
  const { stand, commander } = await fleetOn(site, 'pinged')
  await publishMany(stand, 'S', IN_FLIGHT, { ms: 60_000 })
  await eventually('all are in flight', () => stand.journal.running().length === IN_FLIGHT)
  const times: number[] = []
  for (let n = 0; n < PINGS; n += 1) {
    times.push(await untilAllAnswer(commander, 'ping', stand.queue))
    await sleep(10)
  }
  const [p50, p95] = [0.5, 0.95].map(
    (part) => times.toSorted((a, b) => a - b)[Math.floor(times.length * part)],
  )
  site.say(
    `  ${PINGS} pings: until all have answered ${p50?.toFixed(1)} ms (p50), ${p95?.toFixed(1)} ms (p95)`,
  )
  const what = `ping while ${IN_FLIGHT} slow messages are in flight, until ${DAEMONS} daemons have answered (p95)`
  return [{ what, value: p95 ?? Number.NaN, atMost: 50, unit: 'ms' }]
}

async function paused(site: Site): Promise<Figure[]> {
  const { stand, commander } = await fleetOn(site, 'paused')
  const load = new Load(stand, { ms: 20 })
  const late: number[] = []
  let after = 0
  for (let n = 0; n < PAUSES; n += 1) {
    await sleep(1_000)
    await putMarker(site.broker, stand.queue, { by: 'figures', reason: `pause ${n + 1}` })
    const took = await untilAllAnswer(commander, 'pause', stand.queue)
    const answered = Date.now()
    await sleep(2_000)
    const starts = stand.journal.since(answered).filter(({ event }) => event === 'start')
    after += starts.filter(({ time }) => time > answered + 1_000).length
    late.push(Math.max(0, ...starts.map(({ time }) => time - answered)))
    site.say(
      `  all have answered after ${took.toFixed(0)} ms; last start ${late.at(-1)?.toFixed(0)} ms after that`,
    )
    await site.broker.api('DELETE', `/queues/%2F/${stand.queue}.paused`)
    await untilAllAnswer(commander, 'resume', stand.queue)
  }
  await load.stop()
  const told = stand.log().filter(({ message }) => message.startsWith('Paused.'))
  site.say(
    `  ${told.length} times a daemon paused, and knew by whom ${told.filter(({ by }) => by === 'figures').length} times`,
  )
  return [
    seconds(`${PAUSES} pauses of ${DAEMONS} daemons: last start after the answers`, Math.max(...late), 1),
    none(`${PAUSES} pauses: executions that began later`, after),
  ]
}

/** Daemons that listen, and somebody who commands them. */
async function fleetOn({ broker, releases }: Site, name: string) {
  const pool = { children: IN_FLIGHT }
  const stand = await Stand.open({ broker, mode: 'completed', queue: `control-${name}`, pool }, releases)
  for (let n = 0; n < DAEMONS; n += 1) {
    const where = ['--url', broker.url, '--queue', stand.queue, '--socket', stand.pool.socket]
    const what = ['--script', stand.worker.script, '--ack', 'completed', '--log-format', 'json', '--control']
    const id = ['--daemon-id', `${name}-host${1 + (n % 2)}-${1 + Math.floor(n / 2)}`]
    const hands = ['--concurrency', String(CONCURRENCY), '--prefetch', String(CONCURRENCY), '--timeout', '2m']
    const daemon = await spawnBridge(['run', ...where, ...what, ...id, ...hands])
    releases.push(() => daemon.kill())
    stand.serve(daemon)
    await daemon.waitForLine('Consuming.')
    await daemon.waitForLine('Listening for commands.')
  }
  const commander = await startCommander(broker)
  releases.push(() => commander.hangUp())
  return { stand, commander }
}

/** @returns milliseconds */
async function untilAllAnswer(commander: Commander, verb: string, queue: string): Promise<number> {
  const begin = performance.now()
  const id = commander.say(verb, { queue })
  await eventually(
    `all answer ${verb}`,
    () => commander.answers.filter(({ correlationId }) => correlationId === id).length === DAEMONS,
    { every: 1 },
  )
  return performance.now() - begin
}
