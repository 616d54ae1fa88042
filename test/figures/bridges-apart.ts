import { setTimeout as sleep } from 'node:timers/promises'
import type { Figure } from '../chaos/figures.ts'
import type { Asked } from '../chaos/message-plan.ts'
import type { Stand } from '../chaos/stand.ts'
import { eventually } from '../support/eventually.ts'
import { releaseAll } from '../support/releases.ts'
import type { Measurement, Site } from './figure.ts'
import { publishMany } from './load.ts'
import { entryFor, standFor, startSeveral } from './several-bridges.ts'

/** Milliseconds between two messages of the bridge that is measured, and how many there are. */
const INTERVAL = 20
const MESSAGES = 500
const WARM_UP = 100

/** What the other bridge has to bear. */
interface Trouble {
  readonly name: string
  /** Its socket; default: its pool's. */
  readonly socket?: string
  /** What its queue holds at first. */
  readonly messages: number
  readonly asked: Asked
}

const DEEP = 100_000
const TROUBLES: readonly Trouble[] = [
  { name: 'held', socket: '/nonexistent/fpm.sock', messages: 100, asked: {} },
  { name: 'hanging', messages: 100, asked: { ms: 600_000 } },
  { name: `with ${DEEP} messages in its queue`, messages: DEEP, asked: { ms: 20 } },
]

/** How long messages take through one bridge, beside another one in trouble, against alone. */
export const bridgesApart: Measurement = async (site) => {
  const figures: Figure[] = []
  for (const [index, trouble] of TROUBLES.entries()) {
    // Each beside a measurement of the same minute: these machines are not always as fast.
    const alone = await p95(site, `${index}-alone`, undefined)
    const beside = await p95(site, `${index}-beside`, trouble)
    site.say(`  ${trouble.name}: p95 ${beside.toFixed(2)} ms, alone ${alone.toFixed(2)} ms`)
    const what = `p95 latency of a bridge beside one ${trouble.name}, against alone`
    figures.push({ what, value: beside / alone, atMost: 1.2, unit: '' })
  }
  return figures
}

/** Milliseconds from the publish of a message to the first line of its script, of the slowest 5 %. */
async function p95(site: Site, name: string, trouble: Trouble | undefined): Promise<number> {
  const before = site.releases.length
  const measured = await standFor(site, `measured-${name}`, 2)
  const other = await standFor(site, `other-${name}`, 4)
  if (trouble !== undefined) await publishMany(other, 'other', trouble.messages, trouble.asked)
  const socket = trouble?.socket ?? other.pool.socket
  await startSeveral(site, [entryFor(measured), entryFor(other, { socket, timeout: '20m' })])
  const latencies = await paced(measured)
  await releaseAll(site.releases, before)
  latencies.sort((one, two) => one - two)
  return latencies[Math.ceil(latencies.length * 0.95) - 1] as number
}

async function paced(stand: Stand): Promise<number[]> {
  const published = new Map<string, number>()
  const begin = performance.now()
  for (let n = 1; n <= WARM_UP + MESSAGES; n += 1) {
    const wait = begin + n * INTERVAL - performance.now()
    if (wait > 0) await sleep(wait)
    published.set(`M-${n}`, performance.timeOrigin + performance.now())
    void stand.publish(`M-${n}`)
  }
  const started = () => stand.journal.read().filter(({ event }) => event === 'start')
  await eventually('all are executed', () => started().length >= published.size, { within: 60_000 })
  return started()
    .slice(WARM_UP)
    .map(({ id, time }) => time - (published.get(id) ?? Number.NaN))
}
