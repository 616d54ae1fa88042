import type { Backlog } from './backlog.ts'
import type { Tell } from './events.ts'
import type { Hold, Obstacle } from './gates/hold.ts'
import type { Slots } from './gates/slots.ts'
import { Obstacles } from './obstacles.ts'
import type { FinalOutcome } from './outcome.ts'
import type { Replies } from './replies.ts'
import type { ExecutionReport } from './runner.ts'
import type { Settlement } from './settlement.ts'

/** What becomes of an execution that is over: it is settled, or given back, or waits until others have told whose fault it was. */
export class Conclusion {
  readonly #backlog: Backlog
  readonly #slots: Slots
  readonly #settlement: Settlement
  readonly #replies: Replies | undefined
  readonly #tell: Tell
  readonly #obstacles: Obstacles
  #wake: () => void = () => {}
  #draining = false

  /** @param replies where messages that ask for it are answered */
  constructor(
    backlog: Backlog,
    hold: Hold,
    slots: Slots,
    settlement: Settlement,
    replies: Replies | undefined,
    tell: Tell,
  ) {
    this.#backlog = backlog
    this.#slots = slots
    this.#settlement = settlement
    this.#replies = replies
    this.#tell = tell
    this.#obstacles = new Obstacles(hold, {
      onFault: (report) => this.#settleFault(report),
      onRelease: (report) => this.#giveBack(report, true, true),
    })
  }

  /** How many executions are over, and nobody knows yet what becomes of them. */
  get undecided(): number {
    return this.#obstacles.undecided
  }

  /** @param wake called when something is back in the backlog */
  open(wake: () => void): void {
    this.#wake = wake
  }

  /** @returns what kept it from being executed, if anything did */
  conclude(report: ExecutionReport): Obstacle | undefined {
    const judgement = this.#obstacles.judge(report)
    switch (judgement.kind) {
      case 'settle':
        this.#settle(report, judgement.outcome)
        break
      case 'give-back':
        this.#giveBack(report, judgement.othersFirst, judgement.innocent)
        break
      case 'wait':
        break
    }
    return judgement.obstacle
  }

  /** From now on what is given back goes to the broker, and nothing waits. */
  drain(): void {
    this.#draining = true
    this.#obstacles.close()
  }

  #settle(report: ExecutionReport, outcome: FinalOutcome): void {
    const { execution } = report
    const answered = this.#replies?.answer(report, outcome)
    const settled =
      answered === undefined
        ? this.#settlement.settle(execution, outcome)
        : answered.then(() => this.#settlement.settle(execution, outcome))
    if (settled !== undefined) this.#slots.hold(settled)
  }

  #settleFault(report: ExecutionReport): void {
    const { outcome } = report
    const fault = 'fault' in outcome ? outcome.fault : undefined
    if (fault === undefined) this.#giveBack(report, true, false)
    else this.#settle(report, fault)
  }

  /** It was not executed, which does not count. */
  #giveBack({ execution, outcome }: ExecutionReport, othersFirst: boolean, innocent: boolean): void {
    const diagnosis = outcome.kind === 'executed' ? { reason: '' } : outcome
    if (innocent) execution.forgive()
    if (execution.acked) {
      this.#slots.hold(this.#settlement.putBack(execution, diagnosis))
      return
    }
    this.#tell({ kind: 'held', execution, reason: diagnosis.reason, probing: execution.probing })
    if (this.#draining) execution.delivery.requeue()
    else {
      if (othersFirst) this.#backlog.putLast(execution.again())
      else this.#backlog.putBack(execution.again())
      this.#wake()
    }
  }
}
