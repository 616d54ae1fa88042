import type { Daemon, Fleet } from './fleet.ts'

/** Resident memory of one daemon over its life. */
export interface Memory {
  readonly daemonId: string
  /** Bytes, oldest first; one at least. */
  readonly samples: readonly number[]
}

/** Milliseconds between two samples. */
const INTERVAL = 5_000

/** Samples the resident memory of all daemons, and knows what each has open when it is idle. */
export class Watch {
  readonly #fleet: Fleet
  readonly #samples = new Map<string, number[]>()
  readonly #timer: NodeJS.Timeout
  readonly #baseline: readonly number[]

  /** To be made while the daemons are idle and warm: what they have open now, they may keep. */
  constructor(fleet: Fleet) {
    this.#fleet = fleet
    this.#baseline = fleet.current().map(({ process }) => process.openFiles())
    this.#timer = setInterval(() => this.#sample(), INTERVAL)
    this.#sample()
  }

  /** Of each daemon: what it has open beyond what the first one in its place had. */
  descriptors(): number[] {
    return this.#fleet.current().map(({ process }, slot) => process.openFiles() - (this.#baseline[slot] ?? 0))
  }

  memory(): Memory[] {
    this.#sample()
    const ids = new Set(this.#fleet.current().map(({ id }) => id))
    return [...this.#samples]
      .filter(([id]) => ids.has(id))
      .map(([daemonId, samples]) => ({ daemonId, samples }))
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #sample(): void {
    for (const daemon of this.#fleet.current()) {
      const bytes = residentBytes(daemon)
      if (bytes === undefined) continue
      this.#samples.set(daemon.id, [...(this.#samples.get(daemon.id) ?? []), bytes])
    }
  }
}

/** Undefined when the process has just ended. */
function residentBytes({ process }: Daemon): number | undefined {
  try {
    return process.residentBytes()
  } catch {
    return undefined
  }
}
