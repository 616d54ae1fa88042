import { pause } from '../bridge/backoff.ts'
import type { Tell } from '../bridge/events.ts'
import { Failures } from '../observe/failures.ts'
import type { ProcessReport, Question } from '../observe/fleet-views.ts'
import { gaugesOf } from '../observe/gauges.ts'
import { Meters } from '../observe/meter.ts'
import { ProcessMetrics } from '../observe/process-metrics.ts'
import { ownObstructionsOf } from '../observe/readiness.ts'
import { ownStatusOf } from '../observe/status.ts'
import type { ProcessView } from '../observe/views.ts'
import type { SupervisorLink } from './supervisor-link.ts'

/** Milliseconds from something that happens to the report that has it: so much is not counted of a process that is killed. */
const DELAY = 250
/** Milliseconds that a supervisor which does not read has for the last words. */
const PATIENCE = 1_000

/** What looks at a supervised process, and tells its supervisor. It is loaded only where somebody wants it. */
export class Reporter {
  readonly #view: ProcessView
  readonly #link: SupervisorLink
  readonly #meters = new Meters()
  readonly #failures = new Failures()
  readonly #system: ProcessMetrics
  #timer: NodeJS.Timeout | undefined
  /** Whether a report is on its way; the next one waits, so that a supervisor that does not read costs no memory. */
  #isSpeaking = false
  #hasChanged = false

  constructor(view: ProcessView, link: SupervisorLink) {
    this.#view = view
    this.#link = link
    this.#system = new ProcessMetrics(view.daemonId)
    link.answer((question) => void this.#answer(question))
    this.#speak()
  }

  /** @returns what the bridge of that queue is to tell */
  subscriber(queue: string): Tell {
    const count = this.#meters.subscriber(queue)
    const keep = this.#failures.subscriber(queue)
    return (event) => {
      count(event)
      keep(event)
      this.#hasChanged = true
      if (this.#timer === undefined && !this.#isSpeaking) this.#speakLater()
    }
  }

  /** Says how it ended. Resolves when the supervisor can read that, if it reads. Never rejects. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    const patience = new AbortController()
    const written = new Promise<void>((resolve) =>
      this.#link.tell({ kind: 'report', report: this.#report }, resolve),
    )
    await Promise.race([written, pause(PATIENCE, patience.signal)])
    patience.abort()
  }

  get #report(): ProcessReport {
    const view = this.#view
    return {
      obstructions: ownObstructionsOf(view),
      totals: this.#meters.totals,
      gauges: gaugesOf(view.bridges),
    }
  }

  #speakLater(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#speak()
    }, DELAY)
  }

  #speak(): void {
    this.#hasChanged = false
    this.#isSpeaking = true
    this.#link.tell({ kind: 'report', report: this.#report }, () => {
      this.#isSpeaking = false
      if (this.#hasChanged) this.#speakLater()
    })
  }

  async #answer(to: Question): Promise<void> {
    const metrics = to === 'metrics' ? await this.#system.read() : undefined
    const status = to === 'status' ? ownStatusOf(this.#view, this.#failures.latest) : undefined
    this.#link.tell({
      kind: 'report',
      report: this.#report,
      to,
      ...(metrics !== undefined && { metrics }),
      ...(status && { status }),
    })
  }
}
