import { setTimeout as sleep } from 'node:timers/promises'
import { fatesOf } from '../chaos/fates.ts'
import type { Figure } from '../chaos/figures.ts'
import type { Stand } from '../chaos/stand.ts'
import { eventually } from '../support/eventually.ts'
import { type Measurement, none } from './figure.ts'
import { Load } from './load.ts'
import { entryFor, linesOf, standFor, startSeveral } from './several-bridges.ts'

const RELOADS = 50

/** SIGHUP under load, with one bridge that changes each time and one that does not. */
export const reloadBridges: Measurement = async (site) => {
  const same = await standFor(site, 'same', 4)
  const changing = await standFor(site, 'changing', 4)
  const entries = (n: number) => [entryFor(same), entryFor(changing, { concurrency: 2 + (n % 3) })]
  const { daemon, file } = await startSeveral(site, entries(0), { 'drain-timeout': '60s' })
  const loads = [same, changing].map((stand) => new Load(stand, { ms: 2 }))
  for (let n = 1; n <= RELOADS; n += 1) {
    await sleep(100)
    file.write(entries(n))
    daemon.signal('SIGHUP')
    await eventually(`reload ${n}`, () => linesOf(daemon, 'Reloaded.') >= n, { within: 30_000 })
  }
  for (const load of loads) await load.stop()
  for (const stand of [same, changing])
    await eventually('its queue is empty', async () => (await stand.ready()) === 0, { within: 60_000 })
  daemon.signal('SIGTERM')
  await daemon.exited
  for (const stand of [same, changing]) stand.serve(daemon)
  const { message_stats: stats = {} } = await site.broker.api<{ message_stats?: { redeliver?: number } }>(
    'GET',
    '/queues/%2F/same',
  )
  const of = `SIGHUP ${RELOADS} times`
  return [
    ...(await fates(same, `${of}, the bridge that stays`)),
    ...(await fates(changing, `${of}, the bridge that changes`)),
    none(`${of}, the bridge that stays: deliveries handed back`, stats.redeliver ?? 0),
  ]
}

async function fates(stand: Stand, what: string): Promise<Figure[]> {
  const { twice, lost, stuck } = fatesOf('completed', stand.published, await stand.evidence())
  const of = `${what} (${stand.published.size} messages)`
  return [none(`${of}: lost`, lost.length + stuck.length), none(`${of}: executed twice`, twice.length)]
}
