import { setTimeout as sleep } from 'node:timers/promises'
import type { Figure } from '../chaos/figures.ts'
import { ask } from '../support/admin.ts'
import { spawnBridge } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { freePorts } from '../support/ports.ts'
import type { Measurement, Site } from './figure.ts'
import { fullLoad } from './full-load.ts'

/** Pairs of a second with a scrape and one without, for each kind of daemon. */
const PAIRS = 40
/** Milliseconds. */
const ROUND = 1_000
const CONCURRENCY = 4
/** Messages that are in the queue at first: more than are executed. */
const MESSAGES = 500_000

/** What it costs that /metrics and /status are asked for once a second, at full load. */
export const scrape: Measurement = async (site) => {
  const figures: Figure[] = []
  for (const instances of [1, 2]) figures.push(await cost(site, instances))
  return figures
}

async function cost(site: Site, instances: number): Promise<Figure> {
  const { releases, say } = site
  const { args, taken } = await fullLoad(site, `scrape-${instances}`, {
    children: instances * CONCURRENCY,
    messages: MESSAGES,
  })
  const admin = `127.0.0.1:${(await freePorts(1))[0]}`
  const how = ['--ack', 'completed', '--concurrency', String(CONCURRENCY), '--log-level', 'warn']
  const who = ['--instances', String(instances), '--admin', admin]
  const daemon = await spawnBridge(['run', ...args, ...how, ...who])
  releases.push(() => daemon.kill())
  await eventually('it is ready', async () => (await ask(admin, '/readyz')).status === 200)
  await sleep(3_000)

  const executed = { with: 0, without: 0 }
  const rates: number[] = []
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const rate = { with: 0, without: 0 }
    // What drifts meets both alike.
    for (const kind of pair % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
      const [before, start] = [await taken(), performance.now()]
      if (kind === 'with') await Promise.all([ask(admin, '/metrics'), ask(admin, '/status')])
      await sleep(ROUND - (performance.now() - start))
      rate[kind] = ((await taken()) - before) / (performance.now() - start)
      executed[kind] += rate[kind]
    }
    rates.push(rate.with / rate.without)
  }
  await daemon.kill()
  const of = instances === 1 ? 'one process' : `a fleet of ${instances}`
  const perSecond = ((executed.without * 1_000) / PAIRS).toFixed(0)
  const median = rates.toSorted((a, b) => a - b)[Math.floor(PAIRS / 2)] ?? 0
  const total = executed.with / executed.without
  say(
    `  ${of}, ${perSecond} messages/s: with scrapes ${total.toFixed(4)} of that, ${median.toFixed(4)} in the median`,
  )
  return {
    what: `messages/s without a scrape a second, against with one, ${of}`,
    value: 1 / total,
    atMost: 1.02,
    unit: '',
  }
}
