import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'amqplib'
import type { Figure } from '../chaos/figures.ts'
import { ask } from '../support/admin.ts'
import { spawnBridge } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { publishAll } from '../support/messages.ts'
import { startPool } from '../support/pool.ts'
import { freePorts } from '../support/ports.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import type { Measurement, Site } from './figure.ts'

/** Pairs of a second with a scrape and one without, for each kind of daemon. */
const PAIRS = 40
/** Milliseconds. */
const ROUND = 1_000
const CONCURRENCY = 4
/** Messages that are in the queue at first: more than are executed. */
const MESSAGES = 500_000
/** Messages that are published at once, to keep the memory of the measurement small. */
const BATCH = 10_000

/** What it costs that /metrics and /status are asked for once a second, at full load. */
export const scrape: Measurement = async (site) => {
  const figures: Figure[] = []
  for (const instances of [1, 2]) figures.push(await cost(site, instances))
  return figures
}

async function cost({ broker, releases, say }: Site, instances: number): Promise<Figure> {
  const queue = `scrape-${instances}`
  const pool = await startPool({ children: instances * CONCURRENCY, opcache: true })
  releases.push(() => pool.close())
  const script = join(temporaryFolder('worker'), 'worker.php')
  writeFileSync(script, '<?php')
  const batch = Array.from({ length: BATCH }, (_, index) => ({ number: index }))
  for (let n = 0; n < MESSAGES; n += BATCH) await publishAll(broker, queue, batch)
  const connection = await connect(broker.url)
  releases.push(() => connection.close())
  const channel = await connection.createChannel()
  const left = async () => (await channel.checkQueue(queue)).messageCount

  const admin = `127.0.0.1:${(await freePorts(1))[0]}`
  const where = ['--url', broker.url, '--queue', queue, '--socket', pool.socket, '--script', script]
  const how = ['--ack', 'completed', '--concurrency', String(CONCURRENCY), '--log-level', 'warn']
  const who = ['--instances', String(instances), '--admin', admin]
  const daemon = await spawnBridge(['run', ...where, ...how, ...who])
  releases.push(() => daemon.kill())
  await eventually('it is ready', async () => (await ask(admin, '/readyz')).status === 200)
  await sleep(3_000)

  const executed = { with: 0, without: 0 }
  const rates: number[] = []
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const rate = { with: 0, without: 0 }
    // What drifts meets both alike.
    for (const kind of pair % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
      const [before, start] = [await left(), performance.now()]
      if (kind === 'with') await Promise.all([ask(admin, '/metrics'), ask(admin, '/status')])
      await sleep(ROUND - (performance.now() - start))
      const after = await left()
      if (after === 0) throw new Error(`${MESSAGES} messages are too few`)
      rate[kind] = (before - after) / (performance.now() - start)
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
