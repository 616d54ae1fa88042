import { setTimeout as sleep } from 'node:timers/promises'
import { fatesOf } from '../chaos/fates.ts'
import type { Figure } from '../chaos/figures.ts'
import { Stand } from '../chaos/stand.ts'
import { type Measurement, none, type Site } from './figure.ts'
import { Load } from './load.ts'

const RELOADS = 20
const CHILDREN = 8

/** Graceful reloads (USR2) under load; the same with workers that make one attempt only. */
export const reload: Measurement = async (site) => [
  ...(await reloaded(site, 'reload', [])),
  ...(await reloaded(site, 'reload, --max-attempts 1', ['--max-attempts', '1'])),
]

async function reloaded(
  { broker, releases }: Site,
  what: string,
  args: readonly string[],
): Promise<Figure[]> {
  const queue = what.replaceAll(/\W+/g, '-')
  const pool = { children: CHILDREN, global: { process_control_timeout: '24m' } }
  const stand = await Stand.open({ broker, mode: 'completed', queue, pool }, releases)
  await stand.startDaemon({ args: ['--concurrency', String(CHILDREN), '--retry-delay', '200ms', ...args] })
  const load = new Load(stand, { ms: 2 })
  for (let n = 0; n < RELOADS; n += 1) {
    await sleep(250)
    await stand.pool.reload()
  }
  await sleep(250)
  await load.stop()
  const { burnt, twice, lost, givenUp, stuck } = fatesOf('completed', stand.published, await stand.evidence())
  const of = `${what} (${RELOADS} times, ${stand.published.size} messages)`
  return [
    none(`${of}: attempts counted that never ran`, burnt),
    none(`${of}: executed twice`, twice.length),
    none(`${of}: lost`, lost.length + stuck.length),
    none(`${of}: failed that had not run`, givenUp.length),
  ]
}
