import { setTimeout as sleep } from 'node:timers/promises'
import { fullQueues } from '../chaos/ending.ts'
import type { Figure } from '../chaos/figures.ts'
import { Stand } from '../chaos/stand.ts'
import { eventually } from '../support/eventually.ts'
import { releaseAll } from '../support/releases.ts'
import { type Measurement, none, type Site, seconds } from './figure.ts'
import { publishMany } from './load.ts'

/** Milliseconds between the first retry of a level and the end of the broker. */
const AFTER = [100, 300, 500, 1_000]

/** Milliseconds: the ladder of retry queues. */
const LEVELS = [500, 1_000, 2_000]

/** So many daemons, each with a fresh queue and ladder, live through one killing. */
const TIMES = 10

const GOOD = 5

/** The broker is killed just after a message went to a retry queue for the first time. */
export const firstRetries: Measurement = async (site) => {
  const figures: Figure[] = []
  for (const [index] of LEVELS.entries()) {
    for (const after of AFTER) figures.push(...(await killedAfter(site, index + 1, after)))
  }
  return figures
}

async function killedAfter(site: Site, level: number, after: number): Promise<Figure[]> {
  const { broker } = site
  const before = site.releases.length
  const stands: Stand[] = []
  for (let n = 1; n <= TIMES; n += 1) {
    const queue = `level-${level}-after-${after}-${n}`
    stands.push(await Stand.open({ broker, mode: 'completed', queue, pool: { children: 2 } }, site.releases))
  }
  // What the daemons declare is young; what we declare is not.
  await broker.flush()
  const ladder = ['--retry-delay', `${LEVELS[0]}ms`, '--retry-max-delay', `${LEVELS.at(-1)}ms`]
  await Promise.all(stands.map((stand) => stand.startDaemon({ args: ladder })))
  await Promise.all(stands.map((stand) => stand.publish('failing', { failures: level })))
  await Promise.all(stands.map((stand) => retried(stand, level)))
  await sleep(after)
  await broker.kill()
  await broker.start()
  const back = Date.now()
  const times = await Promise.all(stands.map((stand) => goodDone(stand, back)))
  const ends = await Promise.all(stands.map((stand) => fateOf(stand, broker)))
  await releaseAll(site.releases, before)
  const what = `broker killed ${after / 1_000} s after the first retry of level ${level}, ${TIMES} times`
  const late = ends.filter((end) => end === 'resting').length
  if (late > 0) site.say(`  ${what}: ${late} still rest in their retry queues after a minute`)
  const lost = ends.filter((end) => end === 'lost').length
  return [
    none(`${what}: lost`, lost),
    seconds(`${what}: good messages are executed after its return`, Math.max(...times), 5),
  ]
}

/**
 * What has become of the message that failed. RabbitMQ hands over what it has tried in vain while its target was still starting only
 * after 3 minutes (dead_letter_worker_publisher_confirm_timeout): until then it rests, and is not lost.
 */
async function fateOf(stand: Stand, broker: Site['broker']): Promise<'executed' | 'resting' | 'lost'> {
  if ((await executed(stand, 'failing', 60_000)) !== undefined) return 'executed'
  const resting = (await fullQueues(broker)).some(({ name }) => name.startsWith(`${stand.queue}.retry.`))
  return resting ? 'resting' : 'lost'
}

/** Its message has gone to the retry queue of that level. */
async function retried({ daemon }: Stand, level: number): Promise<void> {
  const retries = () => daemon.log.filter(({ message }) => message === 'To be executed again.').length
  await eventually(`the retry ${level}`, () => retries() >= level, { within: 60_000, every: 5 })
}

/** Milliseconds until the good messages, published when the broker was back, are executed. */
async function goodDone(stand: Stand, back: number): Promise<number> {
  await eventually('the broker takes messages', () => publishMany(stand, 'good', GOOD).then(() => true))
  const last = await executed(stand, `good-${GOOD}`, 60_000)
  return last === undefined ? Number.POSITIVE_INFINITY : last - back
}

/** When the message was executed, in milliseconds since the epoch; undefined: it was not in that time. */
async function executed(stand: Stand, id: string, within: number): Promise<number | undefined> {
  const find = () => stand.journal.read().find((line) => line.id === id && line.event === 'done')?.time
  return eventually(`${id} is executed`, find, { within }).catch(() => undefined)
}
