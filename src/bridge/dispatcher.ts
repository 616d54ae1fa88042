import type { FastCgiClient } from '../fastcgi/types.ts'
import { Adoption } from './adoption.ts'
import { Backlog } from './backlog.ts'
import { BytesInFlight } from './bytes-in-flight.ts'
import type { Suspect } from './doubts.ts'
import { Executor } from './execution.ts'
import { isCopy, isDeliveryCountHigh } from './headers.ts'
import type { Obstacle } from './hold.ts'
import { HoldProbe } from './hold-probe.ts'
import { Obstacles } from './obstacles.ts'
import type { FinalOutcome } from './outcome.ts'
import { Patience } from './patience.ts'
import type { BridgePolicy, Delivery, Intake, Log } from './ports.ts'
import type { Settlement } from './settlement.ts'

/**
 * Milliseconds for which a slot stays empty whose request was cut off. Where a pool dies, its children do so one after the
 * other, and until the last one has, its socket takes requests that none of them will execute.
 */
const REST_AFTER_CUT_OFF = 100
/** Milliseconds between two looks at how long deliveries have been waiting. */
const AGE_INTERVAL = 1_000

type State =
  | { readonly kind: 'running' }
  | { readonly kind: 'draining'; readonly idle: Promise<void>; readonly onIdle: () => void }

/** How many deliveries ended in which way, since the start; `hold`: how often one was kept. */
export type Counts = Record<FinalOutcome['kind'] | 'hold', number>

/**
 * The middle of the bridge: takes deliveries, has at most `concurrency` of them in flight, and has each settled.
 * A slot is taken until the answer has ended, even where the delivery was acked as soon as it was dispatched. Settling takes
 * none, as long as no more than `prefetch` are being settled.
 */
export class Dispatcher {
  readonly patience: Patience
  readonly #config: BridgePolicy
  readonly #probe: HoldProbe
  readonly #executor: Executor
  readonly #settlement: Settlement
  readonly #intake: Intake
  readonly #obstacles: Obstacles
  readonly #backlog: Backlog
  readonly #adoption: Adoption
  readonly #bytesInFlight: BytesInFlight
  readonly #ageTimer: NodeJS.Timeout
  readonly #counts: Counts = { executed: 0, retry: 0, refused: 0, lost: 0, 'dead-letter': 0, hold: 0 }
  #state: State = { kind: 'running' }
  #inFlight = 0
  /** Executed, and not settled yet: a copy is under way. */
  #settling = 0
  /** Resolves when nothing is on its way back into its queue as a new message. That takes no slot. */
  #renewed: Promise<void> = Promise.resolve()

  constructor(config: BridgePolicy, client: FastCgiClient, settlement: Settlement, intake: Intake, log: Log) {
    this.#config = config
    this.#executor = new Executor(config, client, log)
    this.#settlement = settlement
    this.#intake = intake
    this.patience = new Patience(config, log)
    this.#backlog = new Backlog(this.patience)
    this.#adoption = new Adoption(config, log)
    this.#bytesInFlight = new BytesInFlight(config)
    this.#probe = new HoldProbe(client, intake, {
      hasSlot: () => this.#inFlight < config.concurrency,
      next: () => this.#backlog.next(),
      run: (delivery, running) => this.#run(delivery, running),
    })
    this.#obstacles = new Obstacles(log, {
      probe: (obstacle) => this.#probe.look(obstacle),
      onOver: () => this.#resume(),
      onFault: (suspect) => this.#settleFault(suspect),
      onRelease: (suspect) => this.#giveBack(suspect, true, true),
    })
    this.#ageTimer = setInterval(() => void this.#handBackStale(), AGE_INTERVAL).unref()
  }

  get counts(): Readonly<Counts> {
    return this.#counts
  }

  /** Executing, or not settled yet. */
  get inFlight(): number {
    return this.#inFlight + this.#settling
  }

  /** Finds out whether there is a pool, and holds if not, before the first delivery has to. */
  async probe(): Promise<void> {
    const obstacle = await this.#probe.connect()
    if (obstacle !== undefined) this.#obstacles.enter(obstacle)
  }

  accept(delivery: Delivery): void {
    if (this.#state.kind === 'draining') delivery.requeue()
    else if (this.#adoption.adopt(delivery)) return
    else if (isDeliveryCountHigh(delivery)) this.#renew(delivery)
    else this.#admit(delivery)
  }

  /** To be executed, unless it is parked and only here again. */
  #admit(delivery: Delivery): void {
    const mayBeParked = delivery.redelivered || isCopy(delivery, this.#config)
    if (mayBeParked && this.#settlement.takeBack(delivery)) return
    this.#backlog.add(delivery)
    this.#fill()
  }

  /** Hands back what has not started; resolves when nothing is in flight. Idempotent. */
  drain(): Promise<void> {
    if (this.#state.kind === 'draining') return this.#state.idle
    let onIdle = (): void => {}
    const nothingInFlight = new Promise<void>((resolve) => {
      onIdle = resolve
    })
    const renewed = this.#renewed
    const idle = nothingInFlight.then(() => renewed)
    this.#state = { kind: 'draining', idle, onIdle }
    clearInterval(this.#ageTimer)
    this.#obstacles.close()
    this.#backlog.handBackAll()
    this.#settlement.drain()
    if (this.inFlight === 0) onIdle()
    return idle
  }

  /** Names what is lost from sight when the process ends now. */
  giveUp(): void {
    this.#executor.giveUp()
  }

  #renew(delivery: Delivery): void {
    const others = this.#renewed
    this.#renewed = this.#settlement.renew(delivery).then((renewed) => {
      if (!renewed && this.#state.kind === 'draining') delivery.requeue()
      else if (!renewed && delivery.live) this.#admit(delivery)
      return others
    })
  }

  get #hasRoom(): boolean {
    const { concurrency, prefetch } = this.#config
    return this.#inFlight < concurrency && this.#settling < prefetch && !this.#bytesInFlight.full
  }

  #fill(): void {
    while (this.#hasRoom && !this.#obstacles.held) {
      const delivery = this.#backlog.next()
      if (delivery === undefined) return
      void this.#run(delivery)
    }
  }

  /** @returns what kept the delivery from being executed, if anything did */
  async #run(delivery: Delivery, running?: Promise<unknown>): Promise<Obstacle | undefined> {
    this.#inFlight += 1
    const slot = this.#adoption.begin(delivery)
    this.#bytesInFlight.add(delivery)
    const executed = await this.#executor.execute(delivery, running)
    this.#bytesInFlight.remove(delivery)
    const obstacle = this.#conclude({ delivery: this.#adoption.end(slot), executed })
    if (executed.cutOff) setTimeout(() => this.#freeSlot(), REST_AFTER_CUT_OFF)
    else this.#freeSlot()
    return obstacle
  }

  #conclude(suspect: Suspect): Obstacle | undefined {
    const judgement = this.#obstacles.judge(suspect)
    switch (judgement.kind) {
      case 'settle':
        this.#settle(suspect, judgement.outcome)
        return judgement.obstacle
      case 'give-back':
        this.#counts.hold += 1
        this.#giveBack(suspect, judgement.othersFirst, judgement.innocent)
        return judgement.obstacle
      case 'wait':
        return judgement.obstacle
    }
  }

  #settle({ delivery, executed: { ended, acked } }: Suspect, outcome: FinalOutcome): void {
    this.#counts[outcome.kind] += 1
    const settled = this.#settlement.settle(delivery, outcome, ended, acked)
    if (settled !== undefined) this.#track(settled)
  }

  #settleFault(suspect: Suspect): void {
    const { outcome } = suspect.executed
    const fault = 'fault' in outcome ? outcome.fault : undefined
    if (fault === undefined) this.#giveBack(suspect, true, false)
    else this.#settle(suspect, fault)
  }

  /** It was not executed, and nothing is counted. */
  #giveBack(
    { delivery, executed: { outcome, ended, acked } }: Suspect,
    othersFirst: boolean,
    innocent: boolean,
  ): void {
    const diagnosis = outcome.kind === 'executed' ? { reason: '' } : outcome
    const unread = innocent ? 0 : ended.unread
    if (innocent) this.#executor.forgive(delivery)
    if (acked) this.#track(this.#settlement.republish(delivery, diagnosis, { ...ended, unread }))
    else if (this.#state.kind === 'draining') delivery.requeue()
    else {
      if (othersFirst) this.#backlog.putLast(delivery)
      else this.#backlog.putBack(delivery)
      this.#fill()
    }
  }

  #track(settled: Promise<void>): void {
    this.#settling += 1
    void settled.then(() => {
      this.#settling -= 1
      this.#goOn()
    })
  }

  #freeSlot(): void {
    this.#inFlight -= 1
    this.#goOn()
  }

  #goOn(): void {
    if (this.#state.kind === 'running') this.#fill()
    else if (this.inFlight === 0) this.#state.onIdle()
  }

  #resume(): void {
    this.#intake.resume()
    this.#fill()
  }

  /**
   * What is too old to be dispatched goes back to the broker. During a hold it would come back at once, and again and again:
   * then everything that waits goes back, and nothing more is taken until the hold is over.
   */
  async #handBackStale(): Promise<void> {
    if (!this.#backlog.stale) return
    if (this.#obstacles.held) {
      await this.#intake.pause()
      if (this.#obstacles.held) this.#backlog.handBackAll()
    } else this.#backlog.handBackStale()
  }
}
