import type { FastCgiClient, FastCgiError } from '../fastcgi/client.ts'
import { UnprocessableError } from './form.ts'
import { Hold } from './hold.ts'
import { decide, type Outcome, type Result } from './outcome.ts'
import type { BridgeConfig, Delivery, Log } from './ports.ts'
import { type PreparedRequest, prepareRequest } from './request.ts'
import type { Settlement } from './settle.ts'

/** Characters of a worker's stderr that go into a log line. */
const LOGGED_STDERR = 2_048

type State =
  | { readonly kind: 'running' }
  | { readonly kind: 'draining'; readonly idle: Promise<void>; readonly onIdle: () => void }

/** What every log line about one execution has. */
type Execution = Readonly<{ deliveryTag: number; executionId: string; messageId: string | undefined }>
type Ended = Execution & Readonly<{ durationMs: number }>

/** How many deliveries ended in which way, since the start. */
export type Counts = Record<Outcome['kind'], number>

/**
 * The middle of the bridge: takes deliveries, has at most `concurrency` of them in flight, and settles each.
 * A slot is taken until the answer has ended, even where the delivery was acked as soon as it was dispatched.
 */
export class Dispatcher {
  readonly #config: BridgeConfig
  readonly #client: FastCgiClient
  readonly #settlement: Settlement
  readonly #log: Log
  readonly #hold: Hold
  readonly #waiting: Delivery[] = []
  readonly #brokenUploads = new WeakMap<Delivery, number>()
  readonly #counts: Counts = { executed: 0, refused: 0, lost: 0, 'dead-letter': 0, hold: 0 }
  #state: State = { kind: 'running' }
  #inFlight = 0

  constructor(config: BridgeConfig, client: FastCgiClient, settlement: Settlement, log: Log) {
    this.#config = config
    this.#client = client
    this.#settlement = settlement
    this.#log = log
    this.#hold = new Hold(
      log,
      () => client.probe(),
      () => this.#fill(),
    )
  }

  get counts(): Readonly<Counts> {
    return this.#counts
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Finds out whether there is a pool, and holds if not, before the first delivery has to. */
  async probe(): Promise<void> {
    try {
      await this.#client.probe()
    } catch (error) {
      if (this.#state.kind === 'running') this.#hold.enter((error as FastCgiError).message)
    }
  }

  accept(delivery: Delivery): void {
    if (this.#state.kind === 'draining') {
      delivery.requeue()
      return
    }
    // After a lost session the broker hands out again what waits here.
    while (this.#waiting[0]?.live === false) this.#waiting.shift()
    this.#waiting.push(delivery)
    this.#fill()
  }

  /** Hands back what has not started; resolves when nothing is in flight. Idempotent. */
  drain(): Promise<void> {
    if (this.#state.kind === 'draining') return this.#state.idle
    let onIdle = (): void => {}
    const idle = new Promise<void>((resolve) => {
      onIdle = resolve
    })
    this.#state = { kind: 'draining', idle, onIdle }
    this.#hold.close()
    for (const delivery of this.#waiting.splice(0)) delivery.requeue()
    if (this.#inFlight === 0) onIdle()
    return idle
  }

  #fill(): void {
    while (this.#inFlight < this.#config.concurrency && !this.#hold.active) {
      const delivery = this.#waiting.shift()
      if (delivery === undefined) return
      // What came with a session that is gone is handed out again by the broker.
      if (delivery.live) void this.#run(delivery)
    }
  }

  async #run(delivery: Delivery): Promise<void> {
    this.#inFlight += 1
    const execution: Execution = {
      deliveryTag: delivery.deliveryTag,
      executionId: crypto.randomUUID(),
      messageId: delivery.properties.messageId,
    }
    const started = performance.now()
    const outcome = decide(await this.#attempt(delivery, execution), this.#config.ack)
    const durationMs = Math.round(performance.now() - started)
    this.#counts[outcome.kind] += 1
    await this.#conclude(delivery, outcome, { ...execution, durationMs })
    this.#inFlight -= 1
    if (this.#state.kind === 'running') this.#fill()
    else if (this.#inFlight === 0) this.#state.onIdle()
  }

  async #attempt(delivery: Delivery, execution: Execution): Promise<Result> {
    let prepared: PreparedRequest
    try {
      prepared = prepareRequest(delivery, execution.executionId, this.#config)
    } catch (error) {
      const reason = error instanceof UnprocessableError ? error.message : `internal fault: ${String(error)}`
      return { kind: 'unprocessable', reason }
    }
    for (const warning of prepared.warnings) this.#log.warn(warning, execution)
    try {
      const onSent = (): void => {
        if (this.#config.ack === 'dispatched') delivery.ack()
        this.#log.debug('Dispatched.', execution)
      }
      return { kind: 'answered', response: await this.#client.request({ ...prepared.request, onSent }) }
    } catch (error) {
      return this.#failed(delivery, error as FastCgiError)
    }
  }

  #failed(delivery: Delivery, error: FastCgiError): Result {
    const brokenUploads = (this.#brokenUploads.get(delivery) ?? 0) + (error.phase === 'send' ? 1 : 0)
    if (brokenUploads > 0) this.#brokenUploads.set(delivery, brokenUploads)
    return { kind: 'failed', error, brokenUploads }
  }

  async #conclude(delivery: Delivery, outcome: Outcome, execution: Ended): Promise<void> {
    switch (outcome.kind) {
      case 'hold':
        this.#keep(delivery, outcome.reason)
        return
      case 'dead-letter':
        await this.#settlement.deadLetter(delivery, outcome, withFields(this.#log, execution))
        return
      case 'executed':
        delivery.ack()
        this.#log.info('Executed.', { ...execution, status: outcome.status })
        return
      case 'refused':
        delivery.ack()
        this.#log.warn('The worker answered, and not with success.', {
          ...execution,
          status: outcome.status,
          stderr: outcome.stderr.slice(0, LOGGED_STDERR) || undefined,
        })
        return
      case 'lost':
        delivery.ack()
        this.#log.error('Acked, and no complete answer: nobody knows whether it was executed.', {
          ...execution,
          reason: outcome.reason,
        })
    }
  }

  #keep(delivery: Delivery, reason: string): void {
    if (this.#state.kind === 'draining') {
      delivery.requeue()
      return
    }
    this.#waiting.unshift(delivery)
    this.#hold.enter(reason)
  }
}

function withFields(log: Log, fields: Readonly<Record<string, unknown>>): Log {
  return {
    error: (message, more) => log.error(message, { ...fields, ...more }),
    warn: (message, more) => log.warn(message, { ...fields, ...more }),
    info: (message, more) => log.info(message, { ...fields, ...more }),
    debug: (message, more) => log.debug(message, { ...fields, ...more }),
  }
}
