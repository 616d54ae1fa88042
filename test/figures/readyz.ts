import { setTimeout as sleep } from 'node:timers/promises'
import type { Figure } from '../chaos/figures.ts'
import { installWorker } from '../chaos/worker.ts'
import { ask } from '../support/admin.ts'
import { spawnBridge } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { type Pool, startPool } from '../support/pool.ts'
import { freePorts } from '../support/ports.ts'
import { type Measurement, type Site, seconds } from './figure.ts'

/** How often broker and pool go and come. */
const TIMES = 10
/** Milliseconds between two questions. */
const EVERY = 25

/** How long /readyz takes to turn when broker or pool go, or come. */
export const readyz: Measurement = async (site) => {
  const figures: Figure[] = []
  for (const instances of [1, 2]) figures.push(...(await turns(site, instances)))
  return figures
}

async function turns(site: Site, instances: number): Promise<Figure[]> {
  const { broker, releases } = site
  const worker = installWorker()
  releases.push(() => worker.journal.close())
  const pool = await startPool({ environment: worker.environment })
  releases.push(() => pool.close())
  const admin = `127.0.0.1:${(await freePorts(1))[0]}`
  const where = ['--url', broker.url, '--queue', `readyz-${instances}`, '--socket', pool.socket]
  const what = ['--script', worker.script, '--log-format', 'json']
  const how = ['--instances', String(instances), '--admin', admin]
  const daemon = await spawnBridge(['run', ...where, ...what, ...how])
  releases.push(() => daemon.kill())
  await until(admin, 200)
  await broker.flush()
  const times: Record<string, number[]> = {}
  for (let n = 0; n < TIMES; n += 1)
    for (const [name, does, status] of stepsOf(site, pool)) {
      const start = await does()
      await until(admin, status)
      const taken = performance.now() - start
      times[name] = [...(times[name] ?? []), taken]
      // What has turned may turn back.
      await sleep(300 * Math.random())
    }
  await daemon.kill()
  const of = instances === 1 ? 'one process' : `a fleet of ${instances}`
  return Object.entries(times).map(([name, all]) => {
    site.say(`  ${of}, ${name}: ${all.map((each) => each.toFixed(0)).join(', ')} ms`)
    return seconds(`/readyz of ${of} turns when the ${name}, the slowest of ${TIMES}`, Math.max(...all), 2)
  })
}

type Step = readonly [name: string, does: () => Promise<number>, status: number]

/** Each resolves with the moment from which on the time counts: of what comes, when it accepts. */
const stepsOf = ({ broker }: Site, pool: Pool): readonly Step[] => [
  ['broker is killed', () => atOnce(() => broker.kill()), 503],
  ['broker accepts again', () => after(() => broker.start()), 200],
  ['pool is stopped', () => atOnce(() => pool.stop()), 503],
  ['pool accepts again', () => after(() => pool.start()), 200],
]

async function atOnce(act: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await act()
  return start
}

async function after(act: () => Promise<void>): Promise<number> {
  await act()
  return performance.now()
}

const until = (admin: string, status: number) =>
  eventually(`/readyz answers ${status}`, async () => (await ask(admin, '/readyz')).status === status, {
    every: EVERY,
  })
