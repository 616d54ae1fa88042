import type { BridgeReport, DaemonReport } from '../../control/protocol.ts'
import { processOf } from './reports.ts'

/** Questions without an answer after which a process is taken for gone: one that is busy may miss some. */
const MISSED = 3

/** What becomes of processes that were told to drain. One that ends once it has drained has done what it was told. */
export class DrainWatch {
  /** By process, how many questions in turn it has not answered. */
  readonly #waiting: Map<string, number>
  readonly #failures: string[] = []
  /** By process: how it was when it was heard of last. */
  readonly #reports: Map<string, DaemonReport>

  /** @param told how they were after they had been told */
  constructor(told: readonly DaemonReport[]) {
    this.#reports = new Map(told.map((report) => [processOf(report), report]))
    this.#waiting = new Map(told.map((report) => [processOf(report), 0]))
    for (const report of told) if (hasDrained(report)) this.#waiting.delete(processOf(report))
  }

  /** Of those that were told, how they were last. */
  get reports(): readonly DaemonReport[] {
    return [...this.#reports.values()]
  }

  /** Those that have not drained yet. */
  get waiting(): readonly string[] {
    return [...this.#waiting.keys()]
  }

  /** Why some of them will not: it is of no use to wait for the others. */
  get failures(): readonly string[] {
    return this.#failures
  }

  /** @param reports answers to one question, of whoever */
  hear(reports: readonly DaemonReport[]): void {
    const heard = new Map(reports.map((report) => [processOf(report), report]))
    for (const [name, missed] of this.#waiting) {
      const report = heard.get(name)
      if (report !== undefined) this.#reports.set(name, report)
      if (report === undefined) this.#waiting.set(name, missed + 1)
      else if (hasDrained(report)) this.#waiting.delete(name)
      else this.#waiting.set(name, 0)
      if (report === undefined && missed + 1 >= MISSED)
        this.#failures.push(`gone before it said that it had drained: ${name}`)
      if (report?.bridges.some(isResumed))
        this.#failures.push(`somebody has resumed it before it had drained: ${name}`)
    }
  }
}

function hasDrained({ bridges }: DaemonReport): boolean {
  return bridges.every(({ state }) => state === 'drained')
}

function isResumed({ state }: BridgeReport): boolean {
  return state === 'running' || state === 'held' || state === 'paused'
}
