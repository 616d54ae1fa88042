import { setTimeout as sleep } from 'node:timers/promises'
import type { Measurement, Site } from './figure.ts'
import { entryFor, standFor, startSeveral } from './several-bridges.ts'

const BRIDGES = 50
/** Milliseconds after which an idle daemon has come to rest. */
const REST = 15_000
const MIB = 1024 ** 2

/** What a bridge costs that has nothing to do. */
export const idleBridges: Measurement = async (site) => {
  const one = await residentMiB(site, 1)
  const many = await residentMiB(site, 1 + BRIDGES)
  site.say(`  1 bridge: ${one.toFixed(1)} MiB; ${1 + BRIDGES} bridges: ${many.toFixed(1)} MiB`)
  const what = `memory of each of ${BRIDGES} idle bridges above one`
  return [{ what, value: (many - one) / BRIDGES, atMost: 3, unit: 'MiB' }]
}

async function residentMiB(site: Site, bridges: number): Promise<number> {
  const stand = await standFor(site, `idle-${bridges}`, 1)
  const queues = Array.from({ length: bridges }, (_, index) => `idle-${bridges}-${index + 1}`)
  const entries = queues.map((queue) => entryFor(stand, { queue }))
  const { daemon } = await startSeveral(site, entries)
  await sleep(REST)
  const resident = daemon.residentBytes() / MIB
  await daemon.kill()
  return resident
}
