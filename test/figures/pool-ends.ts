import { setTimeout as sleep } from 'node:timers/promises'
import { fatesOf } from '../chaos/fates.ts'
import type { Figure } from '../chaos/figures.ts'
import { Stand } from '../chaos/stand.ts'
import type { Pool } from '../support/pool.ts'
import { type Measurement, none, type Site } from './figure.ts'
import { Load } from './load.ts'

const TIMES = 20
const CHILDREN = 8

/** `--ack dispatched` under load, while the pool ends and comes back: only what was executing may be lost. */
export const poolEnds: Measurement = async (site) => [
  ...(await ended(site, 'pool killed', async (pool) => {
    await pool.kill()
    await pool.start()
  })),
  ...(await ended(site, 'pool stopped', async (pool) => {
    await pool.stop()
    await pool.start()
  })),
  ...(await ended(site, 'pool reloaded at once', (pool) => pool.reload())),
]

async function ended(
  { broker, releases, say }: Site,
  what: string,
  end: (pool: Pool) => Promise<void>,
): Promise<Figure[]> {
  // php-fpm's default: it waits for nothing.
  const pool = { children: CHILDREN, global: { process_control_timeout: 0 } }
  const queue = what.replaceAll(' ', '-')
  const stand = await Stand.open({ broker, mode: 'dispatched', queue, pool }, releases)
  await stand.startDaemon({ args: ['--concurrency', String(CHILDREN)] })
  const load = new Load(stand, { ms: 2 })
  for (let n = 0; n < TIMES; n += 1) {
    await sleep(250)
    await stand.endPool(end)
  }
  await sleep(250)
  await load.stop()
  const evidence = await stand.evidence()
  const { lost, unbegun, silent, twice, stuck } = fatesOf('dispatched', stand.published, evidence)
  const executing = lost.length - unbegun.length
  say(`${what} (${TIMES} times, ${stand.published.size} messages): ${executing} lost that were executing`)
  return [
    none(`${what}: lost that were not executing`, unbegun.length),
    none(`${what}: lost without a line`, silent.length),
    none(`${what}: executed twice`, twice.length),
    none(`${what}: left in the queue`, stuck.length),
  ]
}
