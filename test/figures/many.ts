import { setTimeout as sleep } from 'node:timers/promises'
import { PoolClient } from '../../src/fastcgi/client.ts'
import type { Figure } from '../chaos/figures.ts'
import { Stand } from '../chaos/stand.ts'
import { type Measurement, none, type Site, seconds } from './figure.ts'
import { Load, publishMany } from './load.ts'

const CHILDREN = 4
const LONG_ONES = 20
const STRANGERS = 20
const RELOADS = 5

/** What messages that share a request do to each other, and to others of the pool. */
export const many: Measurement = async (site) => [
  await behindALongOne(site),
  await strangers(site),
  await reloads(site),
]

/** Short messages, and now and then a long one; all but one child are free for them. */
async function behindALongOne(site: Site): Promise<Figure> {
  const stand = await standFor(site, 'long')
  await publishMany(stand, 'W', CHILDREN * 10, { ms: 1 })
  await sleep(1_500)
  const published = new Map<string, number>()
  const waits: number[] = []
  for (let n = 0; n < LONG_ONES; n += 1) {
    for (let k = 0; k < 60; k += 1) {
      const id = `S-${n}-${k}`
      // The long one is published first of a burst.
      const ms = k === 20 ? 1_000 : 1
      published.set(id, Date.now())
      void stand.publish(id, { ms })
      if (k < 20 || k > 30) await sleep(4)
    }
    await sleep(1_200)
  }
  for (const { event, id, time } of stand.journal.read()) {
    const since = published.get(id)
    if (event === 'start' && since !== undefined) waits.push(time - since)
  }
  site.say(`  ${waits.length} messages began after ${Math.max(...waits).toFixed(0)} ms at most`)
  return {
    what: `publish to start of ${waits.length} messages of 1 ms, ${LONG_ONES} of 1 s among them: the slowest`,
    value: Math.max(...waits),
    atMost: 100,
    unit: 'ms',
  }
}

/** Others of the same pool, while all its children are in requests of ours. */
async function strangers(site: Site): Promise<Figure> {
  const stand = await standFor(site, 'strangers')
  const load = new Load(stand, { ms: 5 })
  await sleep(1_000)
  const client = new PoolClient({
    address: { kind: 'unix', path: stand.pool.socket },
    params: { REQUEST_METHOD: 'GET', SCRIPT_NAME: '/ping', SCRIPT_FILENAME: '/ping' },
    maxResponse: 1024,
    maxStderr: 1024,
    keepAlive: false,
    timeout: 30_000,
    statusPath: '/status',
  })
  const times: number[] = []
  for (let n = 0; n < STRANGERS; n += 1) {
    const started = performance.now()
    await client.request({ params: {}, body: new Uint8Array() })
    times.push(performance.now() - started)
    await sleep(100)
  }
  client.close()
  await load.stop()
  site.say(`  ${times.map((time) => time.toFixed(0)).join(', ')} ms`)
  return seconds(
    `another client of the pool at full load, the slowest of ${STRANGERS}`,
    Math.max(...times),
    2,
  )
}

async function reloads(site: Site): Promise<Figure> {
  const stand = await standFor(site, 'reloads')
  const load = new Load(stand, { ms: 5 })
  const times: number[] = []
  for (let n = 0; n < RELOADS; n += 1) {
    await sleep(500)
    const started = performance.now()
    await stand.pool.reload()
    times.push(performance.now() - started)
  }
  await load.stop()
  site.say(`  ${times.map((time) => time.toFixed(0)).join(', ')} ms`)
  const attempts = stand.journal.read().filter(({ attempt }) => attempt > 1).length
  if (attempts > 0) return none('attempts counted by a graceful reload', attempts)
  return seconds(`a reload of the pool at full load, the slowest of ${RELOADS}`, Math.max(...times), 3)
}

async function standFor({ broker, releases }: Site, name: string): Promise<Stand> {
  const pool = { children: CHILDREN, opcache: true, global: { process_control_timeout: '60s' } }
  const stand = await Stand.open(
    { broker, mode: 'completed', queue: `many-${name}`, many: true, pool },
    releases,
  )
  await stand.startDaemon({ args: ['--messages-per-request', '100', '--concurrency', String(CHILDREN)] })
  return stand
}
