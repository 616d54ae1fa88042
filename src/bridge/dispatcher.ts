import type { Adoption } from './adoption.ts'
import type { Backlog } from './backlog.ts'
import type { Tell } from './events.ts'
import { Execution } from './execution.ts'
import type { Gate } from './gates/gate.ts'
import type { Obstacle } from './gates/hold.ts'
import type { Slots } from './gates/slots.ts'
import type { Obstacles } from './obstacles.ts'
import type { FinalOutcome } from './outcome.ts'
import type { BridgePolicy, Delivery } from './ports.ts'
import type { Returns } from './returns.ts'
import type { ExecutionReport, Runner } from './runner.ts'
import type { Settlement } from './settlement.ts'
import type { StaleWatch } from './stale-watch.ts'

/** What a dispatcher works with. */
export interface DispatcherParts {
  readonly backlog: Backlog
  readonly slots: Slots
  /** All that say what may start now, the slots among them. */
  readonly gates: readonly Gate[]
  readonly returns: Returns
  readonly adoption: Adoption
  readonly runner: Runner
  readonly obstacles: Obstacles
  readonly settlement: Settlement
  readonly staleWatch: StaleWatch
}

type State =
  | { readonly kind: 'running' }
  | { readonly kind: 'draining'; readonly idle: Promise<void>; readonly onIdle: () => void }

/** The middle of the bridge: takes deliveries, starts the next one as soon as all gates say yes, and has each settled. */
export class Dispatcher {
  readonly #policy: BridgePolicy
  readonly #parts: DispatcherParts
  readonly #gates: readonly Gate[]
  readonly #backlog: Backlog
  readonly #tell: Tell
  #state: State = { kind: 'running' }
  /** When the gates are to be asked again, by `performance.now()`. */
  #wakeAt = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(policy: BridgePolicy, parts: DispatcherParts, tell: Tell) {
    this.#policy = policy
    this.#parts = parts
    this.#gates = parts.gates
    this.#backlog = parts.backlog
    this.#tell = tell
    for (const gate of this.#gates) gate.open?.(() => this.#goOn())
  }

  /** Executing, or not settled yet. */
  get inFlight(): number {
    return this.#parts.slots.inFlight
  }

  accept(delivery: Delivery): void {
    const { deliveryTag, redelivered, properties, body } = delivery
    const { messageId } = properties
    this.#tell({ kind: 'delivered', deliveryTag, messageId, redelivered, bytes: body.length })
    if (this.#state.kind === 'draining') {
      delivery.requeue()
      return
    }
    const execution = new Execution(delivery, this.#policy)
    if (!this.#parts.returns.take(execution)) this.admit(execution)
  }

  /** To be executed, when it is its turn. */
  admit(execution: Execution): void {
    this.#backlog.add(execution)
    this.#fill()
  }

  /**
   * Executes one, whatever the gates say.
   *
   * @returns what kept it from being executed, if anything did
   */
  async run(execution: Execution): Promise<Obstacle | undefined> {
    const { adoption, runner } = this.#parts
    for (const gate of this.#gates) gate.onStart?.(execution)
    const place = adoption.begin(execution)
    const report = await runner.run(execution)
    adoption.end(place)
    const obstacle = this.#conclude(report)
    for (const gate of this.#gates) gate.onEnd?.(execution, report.result)
    this.#goOn()
    return obstacle
  }

  /** Hands back what has not started; resolves when nothing is in flight. Idempotent. */
  drain(): Promise<void> {
    if (this.#state.kind === 'draining') return this.#state.idle
    const { returns, staleWatch, obstacles, settlement } = this.#parts
    let onIdle = (): void => {}
    const nothingInFlight = new Promise<void>((resolve) => {
      onIdle = resolve
    })
    const returned = returns.drain()
    const idle = nothingInFlight.then(() => returned)
    this.#state = { kind: 'draining', idle, onIdle }
    clearTimeout(this.#timer)
    staleWatch.end()
    obstacles.close()
    this.#backlog.handBackAll()
    settlement.drain()
    this.#goOn()
    return idle
  }

  /** Names what is lost from sight when the process ends now. */
  tellAbandoned(): void {
    for (const execution of this.#parts.adoption.acked) {
      this.#tell({ kind: 'lost', why: 'abandoned', execution })
    }
  }

  /** Of a message that was suspected, and is at fault itself. */
  settleFault(report: ExecutionReport): void {
    const { execution, outcome } = report
    const fault = 'fault' in outcome ? outcome.fault : undefined
    if (fault === undefined) this.giveBack(report, true, false)
    else this.#settle(execution, fault)
  }

  /** It was not executed, which does not count. */
  giveBack({ execution, outcome }: ExecutionReport, othersFirst: boolean, innocent: boolean): void {
    const diagnosis = outcome.kind === 'executed' ? { reason: '' } : outcome
    if (innocent) execution.forgive()
    if (execution.acked) {
      this.#parts.slots.hold(this.#parts.settlement.putBack(execution, diagnosis))
      return
    }
    this.#tell({ kind: 'held', execution, reason: diagnosis.reason, probing: execution.probing })
    if (this.#state.kind === 'draining') execution.delivery.requeue()
    else {
      if (othersFirst) this.#backlog.putLast(execution.again())
      else this.#backlog.putBack(execution.again())
      this.#fill()
    }
  }

  #conclude(report: ExecutionReport): Obstacle | undefined {
    const judgement = this.#parts.obstacles.judge(report)
    switch (judgement.kind) {
      case 'settle':
        this.#settle(report.execution, judgement.outcome)
        break
      case 'give-back':
        this.giveBack(report, judgement.othersFirst, judgement.innocent)
        break
      case 'wait':
        break
    }
    return judgement.obstacle
  }

  #settle(execution: Execution, outcome: FinalOutcome): void {
    const settled = this.#parts.settlement.settle(execution, outcome)
    if (settled !== undefined) this.#parts.slots.hold(settled)
  }

  #goOn(): void {
    if (this.#state.kind === 'running') this.#fill()
    else if (this.inFlight === 0) this.#state.onIdle()
  }

  #fill(): void {
    for (let next = this.#backlog.first; next !== undefined; next = this.#backlog.first) {
      if (!this.#mayStart(next)) return
      const execution = this.#backlog.takeFirst()
      if (execution !== undefined) void this.run(execution)
    }
  }

  #mayStart(next: Execution): boolean {
    for (const gate of this.#gates) {
      const answer = gate.admits(next)
      if (answer === 'yes') continue
      this.#wakeIn(answer.askAgainIn)
      return false
    }
    return true
  }

  /** One timer for all gates. */
  #wakeIn(milliseconds: number): void {
    const at = performance.now() + milliseconds
    if (at >= this.#wakeAt) return
    clearTimeout(this.#timer)
    this.#wakeAt = at
    this.#timer = setTimeout(() => {
      this.#wakeAt = Number.POSITIVE_INFINITY
      this.#goOn()
    }, milliseconds)
  }
}
