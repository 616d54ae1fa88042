import type { FastCgiClient, FastCgiError } from '../fastcgi/client.ts'
import { pause } from './backoff.ts'
import { type Executed, Executor } from './execution.ts'
import { returnsTooOften } from './headers.ts'
import { Hold, type Obstacle } from './hold.ts'
import type { Outcome } from './outcome.ts'
import type { BridgeConfig, Delivery, Intake, Log } from './ports.ts'
import type { Settlement } from './settle.ts'
import { Waiting } from './waiting.ts'

/** Milliseconds after which a delivery that probes counts as executing: what php-fpm will not run it refuses at once. */
const PROBE_PATIENCE = 1_000
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

/** How many deliveries ended in which way, since the start. */
export type Counts = Record<Outcome['kind'], number>

/**
 * The middle of the bridge: takes deliveries, has at most `concurrency` of them in flight, and has each settled.
 * A slot is taken until the answer has ended, even where the delivery was acked as soon as it was dispatched, and
 * until the delivery is settled.
 */
export class Dispatcher {
  readonly #concurrency: number
  readonly #client: FastCgiClient
  readonly #executor: Executor
  readonly #settlement: Settlement
  readonly #intake: Intake
  readonly #hold: Hold
  readonly #waiting: Waiting
  readonly #ageTimer: NodeJS.Timeout
  readonly #counts: Counts = { executed: 0, retry: 0, refused: 0, lost: 0, 'dead-letter': 0, hold: 0 }
  #state: State = { kind: 'running' }
  #inFlight = 0
  /** Resolves when nothing is on its way back into its queue as a new message. That takes no slot. */
  #renewed: Promise<void> = Promise.resolve()

  constructor(config: BridgeConfig, client: FastCgiClient, settlement: Settlement, intake: Intake, log: Log) {
    this.#concurrency = config.concurrency
    this.#client = client
    this.#executor = new Executor(config, client, log)
    this.#settlement = settlement
    this.#intake = intake
    this.#waiting = new Waiting(config)
    this.#hold = new Hold(
      log,
      (obstacle) => this.#lookAgain(obstacle),
      () => this.#resume(),
    )
    this.#ageTimer = setInterval(() => void this.#handBackStale(), AGE_INTERVAL).unref()
  }

  get counts(): Readonly<Counts> {
    return this.#counts
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Finds out whether there is a pool, and holds if not, before the first delivery has to. */
  async probe(): Promise<void> {
    const obstacle = await this.#connect()
    if (obstacle !== undefined && this.#state.kind === 'running') this.#hold.enter(obstacle)
  }

  accept(delivery: Delivery): void {
    if (this.#state.kind === 'draining') delivery.requeue()
    else if (returnsTooOften(delivery)) this.#renew(delivery)
    else {
      this.#waiting.add(delivery)
      this.#fill()
    }
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
    this.#hold.close()
    this.#waiting.handBackAll()
    if (this.#inFlight === 0) onIdle()
    return idle
  }

  #renew(delivery: Delivery): void {
    const others = this.#renewed
    this.#renewed = this.#settlement.renew(delivery).then(() => others)
  }

  /** Names what is lost from sight when the process ends now. */
  giveUp(): void {
    this.#executor.giveUp()
  }

  #fill(): void {
    while (this.#inFlight < this.#concurrency && !this.#hold.active) {
      const delivery = this.#waiting.next()
      if (delivery === undefined) return
      void this.#run(delivery)
    }
  }

  /** @returns what kept the delivery from being executed, if anything did, before it is settled */
  async #run(delivery: Delivery, running?: Promise<unknown>): Promise<Obstacle | undefined> {
    this.#inFlight += 1
    const executed = await this.#executor.execute(delivery, running)
    this.#counts[executed.outcome.kind] += 1
    void this.#conclude(delivery, executed)
    return executed.outcome.kind === 'hold' ? executed.outcome : undefined
  }

  async #conclude(delivery: Delivery, { outcome, ended, acked, cutOff }: Executed): Promise<void> {
    if (outcome.kind !== 'hold') await this.#settlement.settle(delivery, outcome, ended, acked)
    else {
      if (this.#state.kind === 'running') this.#hold.enter(outcome)
      if (acked) await this.#settlement.republish(delivery, outcome.reason, ended)
      else if (this.#state.kind === 'running') this.#waiting.putBack(delivery)
      else delivery.requeue()
    }
    if (cutOff) await new Promise((resolve) => setTimeout(resolve, REST_AFTER_CUT_OFF))
    this.#inFlight -= 1
    if (this.#state.kind === 'running') this.#fill()
    else if (this.#inFlight === 0) this.#state.onIdle()
  }

  /** One probe of a hold: what is in the way, or undefined. */
  async #lookAgain(obstacle: Obstacle): Promise<Obstacle | undefined> {
    if (obstacle.probe === 'connect') return this.#connect()
    if (this.#inFlight >= this.#concurrency) return obstacle
    const delivery = this.#waiting.next()
    if (delivery === undefined) return (await this.#connect()) ?? this.#takeMore(obstacle)
    const patience = new AbortController()
    const running = pause(PROBE_PATIENCE, patience.signal)
    const found = await Promise.race([this.#run(delivery, running), running.then(() => undefined)])
    patience.abort()
    return found
  }

  /** Nothing waits that could probe; perhaps it has gone back to the broker. */
  #takeMore(obstacle: Obstacle): Obstacle {
    this.#intake.resume()
    return obstacle
  }

  async #connect(): Promise<Obstacle | undefined> {
    try {
      await this.#client.probe()
      return undefined
    } catch (error) {
      return { reason: (error as FastCgiError).message, probe: 'connect' }
    }
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
    if (!this.#waiting.stale) return
    if (this.#hold.active) {
      await this.#intake.pause()
      if (this.#hold.active) this.#waiting.handBackAll()
    } else this.#waiting.handBackStale()
  }
}
