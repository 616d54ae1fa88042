import { ask, samples, type Where } from './admin.ts'
import { eventually } from './eventually.ts'
import { workerThat } from './worker-script.ts'

/** Every tenth message fails at first. The journal of such a worker has a line for each execution. */
export const journalWorker = () =>
  workerThat("usleep(2000); http_response_code($attempt === 1 && $_POST['number'] % 10 === 0 ? 503 : 200);")

export interface Readiness {
  readonly status: number
  readonly reasons: readonly Readonly<Record<string, string>>[]
}

export async function readiness(where: Where): Promise<Readiness> {
  const { status, body } = await ask(where, '/readyz')
  return { status, reasons: JSON.parse(body).reasons }
}

export const isReady = (where: Where) =>
  eventually('the fleet is ready', async () => (await readiness(where)).status === 200)

export interface FleetStatus {
  readonly state: string
  readonly processes: readonly {
    readonly daemon_id: string
    readonly pid: number
    readonly answers: boolean
    readonly silent_ms?: number
    readonly state: string
    readonly config: { readonly bridges: readonly Readonly<Record<string, { readonly value: unknown }>>[] }
    readonly [field: string]: unknown
  }[]
  readonly pools: readonly unknown[]
  readonly records: readonly Readonly<Record<string, unknown>>[]
}

export async function statusOf(where: Where): Promise<FleetStatus> {
  return JSON.parse((await ask(where, '/status')).body)
}

/** Scrapes counters of one fleet, again and again, and fails when one of them falls. */
export class Scrapes {
  readonly #where: Where
  readonly #highest = new Map<string, number>()
  /** Milliseconds. */
  slowest = 0

  constructor(where: Where) {
    this.#where = where
  }

  async take(): Promise<ReadonlyMap<string, number>> {
    const start = performance.now()
    const seen = samples((await ask(this.#where, '/metrics')).body)
    this.slowest = Math.max(this.slowest, performance.now() - start)
    for (const [name, value] of seen) {
      if (!/^fpm_bridge_\w+_(total|count|sum|bucket)\{/.test(name)) continue
      const before = this.#highest.get(name) ?? 0
      // Sums of seconds are added up in another order each time.
      if (value < before - 1e-6) throw new Error(`${name} fell from ${before} to ${value}`)
      this.#highest.set(name, value)
    }
    for (const name of this.#highest.keys()) if (!seen.has(name)) throw new Error(`${name} is gone`)
    return seen
  }

  /** Scrapes until the returned function is called, which rejects where a counter fell. */
  go(): () => Promise<void> {
    let goesOn = true
    const loop = async (): Promise<void> => {
      while (goesOn) await this.take()
    }
    const running = loop()
    running.catch(() => {})
    return () => {
      goesOn = false
      return running
    }
  }
}

/** How many executions have come to an end, by the counters: two ways to count them. */
export function executionsIn(seen: ReadonlyMap<string, number>, queue: string): readonly [number, number] {
  const outcome = (name: string) =>
    seen.get(`fpm_bridge_messages_total{queue="${queue}",outcome="${name}"}`) ?? 0
  return [
    outcome('executed') + outcome('retry'),
    seen.get(`fpm_bridge_execution_seconds_count{queue="${queue}"}`) ?? 0,
  ]
}
