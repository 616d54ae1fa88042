import type { Adoption } from './adoption.ts'
import type { Backlog } from './backlog.ts'
import type { Conclusion } from './conclusion.ts'
import type { ControlMessages } from './control-messages.ts'
import type { Tell } from './events.ts'
import { Execution } from './execution.ts'
import type { Gate } from './gates/gate.ts'
import type { Obstacle } from './gates/hold.ts'
import type { Pause } from './gates/pause.ts'
import type { Slots } from './gates/slots.ts'
import type { BridgePolicy, Delivery } from './ports.ts'
import type { Returns } from './returns.ts'
import type { Runner } from './runner.ts'
import type { Settlement } from './settlement.ts'
import type { StaleWatch } from './stale-watch.ts'

/** What a dispatcher works with. */
export interface DispatcherParts {
  readonly backlog: Backlog
  readonly slots: Slots
  /** While it lasts, what waits goes back. */
  readonly pause: Pick<Pause, 'handsBack'>
  /** All that say what may start now, slots and pause among them. */
  readonly gates: readonly Gate[]
  readonly returns: Returns
  readonly adoption: Adoption
  /** Takes what is for the daemon, where it is to. */
  readonly control: ControlMessages | undefined
  readonly runner: Runner
  readonly conclusion: Conclusion
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
    const wake = (): void => this.#goOn()
    for (const gate of this.#gates) gate.open?.(wake)
    parts.conclusion.open(wake)
  }

  /** Executing, or not settled yet. */
  get inFlight(): number {
    return this.#parts.slots.inFlight + this.#parts.conclusion.undecided
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

  /** To be executed, when it is its turn; unless it is for the daemon. */
  admit(execution: Execution): void {
    if (this.#parts.control?.take(execution)) return
    this.#backlog.add(execution)
    this.#fill()
  }

  /**
   * Executes one, whatever the gates say.
   *
   * @returns what kept it from being executed, if anything did
   */
  async run(execution: Execution): Promise<Obstacle | undefined> {
    const { adoption, runner, conclusion } = this.#parts
    for (const gate of this.#gates) gate.onStart?.(execution)
    const place = adoption.begin(execution)
    const report = await runner.run(execution)
    adoption.end(place)
    const obstacle = conclusion.conclude(report)
    for (const gate of this.#gates) gate.onEnd?.(execution, report.result)
    this.#goOn()
    return obstacle
  }

  /** Hands back what has not started; resolves when nothing is in flight. Idempotent. */
  drain(): Promise<void> {
    if (this.#state.kind === 'draining') return this.#state.idle
    const { returns, staleWatch, conclusion, settlement } = this.#parts
    let onIdle = (): void => {}
    const nothingInFlight = new Promise<void>((resolve) => {
      onIdle = resolve
    })
    const returned = returns.drain()
    const idle = nothingInFlight.then(() => returned)
    this.#state = { kind: 'draining', idle, onIdle }
    clearTimeout(this.#timer)
    staleWatch.end()
    conclusion.drain()
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

  #goOn(): void {
    if (this.#state.kind === 'running') this.#fill()
    else if (this.inFlight === 0) this.#state.onIdle()
  }

  #fill(): void {
    if (this.#parts.pause.handsBack) this.#backlog.handBackAll()
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
