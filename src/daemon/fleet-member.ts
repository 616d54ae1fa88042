import type { FleetProcess, ProcessReport, Question } from '../observe/fleet-views.ts'
import type { Child, ChildExit } from './child.ts'
import type { Said } from './fleet-messages.ts'
import type { ProcessRecord } from './process-record.ts'

/** Milliseconds that an answer may take. */
const PROMPT = 950

interface Asked {
  /** By `performance.now()`. */
  readonly since: number
  readonly answered: Promise<void>
  readonly onAnswer: () => void
}

/** How a process with this daemon id has ended. */
export interface MemberEnd {
  readonly id: string
  readonly exit: ChildExit
  readonly time: Date
}

/** A process of a fleet, as far as it has spoken. */
export class FleetMember implements FleetProcess {
  readonly startedAt = performance.now()
  readonly started = new Date()
  readonly #child: Child
  /** One of each at most: for a process that does not read, nothing piles up. */
  readonly #asked = new Map<Question, Asked>()
  hasConsumed = false
  report: ProcessReport | undefined
  metrics: string | undefined
  status: object | undefined
  record: ProcessRecord | undefined
  ended: MemberEnd | undefined

  constructor(child: Child) {
    this.#child = child
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get silentSince(): number | undefined {
    const since = this.#owesSince
    return since !== undefined && performance.now() - since >= PROMPT ? since : undefined
  }

  /**
   * Resolves when it has answered, when it has owed this answer or another one for so long, or when it has ended. One that has not said
   * anything yet is not asked.
   *
   * @param within milliseconds
   */
  async ask(question: Question, within: number): Promise<void> {
    if (this.report === undefined) return
    const { answered } = this.#asked.get(question) ?? this.#send(question)
    const left = (this.#owesSince ?? 0) + within - performance.now()
    if (left <= 0) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, left)
    })
    await Promise.race([answered, late])
    clearTimeout(timer)
  }

  hear(said: Said): void {
    if (said.kind === 'record') {
      this.record = said.record
      return
    }
    this.report = said.report
    this.metrics = said.metrics ?? this.metrics
    this.status = said.status ?? this.status
    if (said.to !== undefined) this.#settle(said.to)
  }

  /** Nobody has to wait for its answers. */
  end(): void {
    for (const question of this.#asked.keys()) this.#settle(question)
  }

  get #owesSince(): number | undefined {
    if (this.#asked.size === 0) return undefined
    return Math.min(...[...this.#asked.values()].map(({ since }) => since))
  }

  #send(question: Question): Asked {
    let onAnswer = (): void => {}
    const answered = new Promise<void>((resolve) => {
      onAnswer = resolve
    })
    const asked = { since: performance.now(), answered, onAnswer }
    this.#asked.set(question, asked)
    this.#child.tell({ kind: 'ask', question })
    return asked
  }

  #settle(question: Question): void {
    this.#asked.get(question)?.onAnswer()
    this.#asked.delete(question)
  }
}
