import { setMaxListeners } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import type { AckPatience } from '../amqp/acknowledgements.ts'
import { BrokerError } from '../amqp/broker-error.ts'
import { BrokerList } from '../amqp/broker-list.ts'
import { Consumer } from '../amqp/consumer.ts'
import { consumerTagOf } from '../amqp/consumer-tag.ts'
import { PauseLook } from '../amqp/pause-look.ts'
import { ConfirmPublisher } from '../amqp/publisher.ts'
import { type BackoffRange, backoff } from '../bridge/backoff.ts'
import { Domain } from '../bridge/domain.ts'
import type { Delivery, Intake } from '../bridge/ports.ts'
import type { AdoptElsewhere } from '../bridge/returns.ts'
import type { BridgeConfig } from '../config/bridge-config.ts'
import { queuesOf } from '../config/queues.ts'
import { formatPoolAddress } from '../fastcgi/address.ts'
import type { FastCgiClient } from '../fastcgi/types.ts'
import type { Counts } from '../observe/counters.ts'
import type { Logger } from '../observe/logger.ts'
import type { Sight } from '../observe/sight.ts'
import type { BridgeView } from '../observe/views.ts'
import { BridgeControl } from './bridge-control.ts'
import { BridgeSubscribers } from './bridge-subscribers.ts'
import { viewOf } from './bridge-view.ts'
import { prepareCopies } from './copies-preparation.ts'
import { createClient } from './pool-client.ts'
import type { Surroundings } from './surroundings.ts'

/** The broker must be consumed from within 2 s of its return, so the longest pause is well below. */
const SESSION_DELAY: BackoffRange = { min: 100, max: 1_500 }

/**
 * Acks wait for one another where a request carries many messages: of a short one, an ack and the delivery that follows it are a large
 * part of the cost. Each that waits would be executed again if the daemon was killed; and with more of them, the broker would have too
 * little to deliver.
 */
const ackPatience = (prefetch: number): AckPatience => ({
  milliseconds: 4,
  most: Math.max(1, Math.floor(prefetch / 8)),
})

type State =
  | { readonly kind: 'starting' | 'running' }
  | { readonly kind: 'draining'; readonly end: Promise<void> }

/**
 * One queue, one pool, and all between them: composes consumer, domain and publisher, with what looks at them, brings them up, and
 * takes them down in reverse.
 *
 * starting -> running -> draining
 */
export class Bridge {
  readonly config: BridgeConfig
  /** What operators tell it, if they can. */
  readonly control: BridgeControl | undefined
  /** Whether they have told it to drain before it began. */
  readonly #isDrained: boolean
  readonly #subscribers: BridgeSubscribers
  readonly #gaveUp = new AbortController()
  readonly #client: FastCgiClient
  readonly #publisher: ConfirmPublisher
  readonly #replyPublisher: ConfirmPublisher | undefined
  readonly #domain: Domain
  readonly #consumer: Consumer
  #state: State = { kind: 'starting' }

  /** @param adoptElsewhere asks the bridges whose place this one takes */
  constructor(config: BridgeConfig, surroundings: Surroundings, adoptElsewhere: AdoptElsewhere, log: Logger) {
    const { process, ages, connections, version, control } = surroundings
    this.config = config
    this.#subscribers = new BridgeSubscribers(config.queue, surroundings, () => this.view, log)
    const { tell } = this.#subscribers
    // One for each copy that is being published; Node.js warns of more than ten.
    setMaxListeners(0, this.#gaveUp.signal)
    const { queue, daemonId, prefetch, declare } = config
    const { always, atNeed } = queuesOf(config)
    const brokers = new BrokerList(process.brokers, tell)
    this.#client = createClient(config, version)
    this.#publisher = new ConfirmPublisher(
      {
        brokers,
        connections: connections.publishing,
        topology: { queues: [...always, ...atNeed], declare, ages },
      },
      tell,
    )
    if (config.replyAllow !== undefined || control !== undefined) {
      // Their queues are others'. What its connection does is told by the other one, which has the same.
      const topology = { queues: [], declare: false, ages }
      const options = { brokers, connections: connections.publishing, topology }
      this.#replyPublisher = new ConfirmPublisher(options, () => {})
    }
    const intake: Intake = {
      pause: () => this.#consumer.pause(),
      resume: () => this.#consumer.resume(),
      widen: () => this.#consumer.widen(),
    }
    this.#domain = new Domain(config, {
      client: this.#client,
      publisher: this.#publisher,
      replyPublisher: this.#replyPublisher,
      intake,
      control,
      tell,
      adoptElsewhere,
      signal: this.#gaveUp.signal,
    })
    this.control = control && new BridgeControl(this.#domain.pause, (kind) => this.#consumer.look(kind))
    this.#isDrained = control?.drains.has(queue) ?? false
    this.#consumer = new Consumer(
      {
        brokers,
        connections: connections.consuming,
        topology: { queues: declare ? always : [...always, ...atNeed], declare, ages },
        queue,
        prefetch,
        ...(config.messagesPerRequest > 1 &&
          config.ack === 'completed' && { ackPatience: ackPatience(prefetch) }),
        allowTransient: config.allowTransientQueue,
        ...(control && { pauseLook: new PauseLook(queue, (note) => this.control?.see(note), tell) }),
        consumerTag: consumerTagOf(daemonId, config.listed ? config.name : undefined),
        delay: (attempt) => backoff(attempt, SESSION_DELAY),
        onImpatience: (milliseconds) => this.#domain.shorten(milliseconds),
      },
      (delivery) => this.#domain.dispatcher.accept(delivery),
      tell,
    )
  }

  /** Whether it has begun to take deliveries, and has not been told to stop. */
  get consumes(): boolean {
    return this.#state.kind === 'running'
  }

  get drains(): boolean {
    return this.#state.kind === 'draining'
  }

  /** How many deliveries ended in which way. */
  get counts(): Readonly<Counts> {
    return this.#subscribers.counters.counts
  }

  /** Executing, or not settled yet. */
  get inFlight(): number {
    return this.#domain.dispatcher.inFlight
  }

  get view(): BridgeView {
    const executionTimes = () => this.#subscribers.minute.times
    const own = { state: this.#state.kind, counts: this.counts, executionTimes }
    return viewOf(this.config, own, this.#domain, this.#consumer)
  }

  /** What operators see of it beside that, if there are any. */
  get sight(): Sight | undefined {
    return this.#subscribers.sight
  }

  /** @returns whether it executes this very message, for a session that has ended: then it settles the delivery in its place */
  adopt(delivery: Delivery): boolean {
    return this.#domain.executions.adopt(delivery)
  }

  /**
   * Resolves when messages are consumed, or when drained before it came to that. Broker and pool may be away:
   * both are waited for.
   *
   * @throws {BrokerError} when waiting makes no sense: the broker refuses what the configuration asks for
   */
  async start(): Promise<void> {
    const { pool, script, ack, payload, concurrency } = this.config
    this.#subscribers.tell({
      kind: 'starting',
      pid: process.pid,
      pool: formatPoolAddress(pool),
      script,
      ack,
      payload,
      concurrency,
    })
    this.#warnOfEndlessExecutions()
    if (this.#isDrained) this.control?.drain()
    try {
      // What fails for good must fail before the first message is executed.
      await prepareCopies(this.#publisher, this.#subscribers.tell, this.#gaveUp.signal, () => this.drains)
      await Promise.all([this.#domain.probe(), this.#consumer.start()])
    } catch (error) {
      // What the broker says to one that is not wanted any more is of no interest.
      if (!(this.drains && error instanceof BrokerError)) throw error
    }
    if (this.#state.kind === 'starting') this.#state = { kind: 'running' }
  }

  /**
   * Stops consuming, hands back what has not started, and lets what is in flight finish. Resolves when all is settled and closed,
   * however long that takes. Idempotent: a second call waits for the same end.
   */
  drain(): Promise<void> {
    if (this.#state.kind !== 'draining') this.#state = { kind: 'draining', end: this.#finish() }
    return this.#state.end
  }

  /** Gives up what is not settled by now. Idempotent. */
  abortDrain(): void {
    this.#gaveUp.abort()
  }

  /** Names what is lost from sight when the process ends now. */
  logAbandoned(): void {
    this.#domain.dispatcher.tellAbandoned()
  }

  /** Settling needs the channel the delivery came on, so that closes after the last of them. */
  async #finish(): Promise<void> {
    this.control?.close()
    const cancelled = this.#consumer.cancel()
    // By then the broker has been told: what goes back while it still delivers may come here again.
    await turn()
    await Promise.all([cancelled, this.#domain.drain()])
    await this.#consumer.close()
    await this.#replyPublisher?.close()
    await this.#publisher.close()
    this.#client.close()
    this.#subscribers.minute.end()
  }

  #warnOfEndlessExecutions(): void {
    const { ack, timeout, consumerTimeout } = this.config
    if (ack !== 'completed' || timeout > 0 || consumerTimeout === 0) return
    this.#subscribers.tell({ kind: 'executions-endless', consumerTimeoutMs: consumerTimeout })
  }
}
