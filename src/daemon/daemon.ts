import { setMaxListeners } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { BrokerError } from '../amqp/broker-error.ts'
import { BrokerList } from '../amqp/broker-list.ts'
import { Consumer } from '../amqp/consumer.ts'
import { ConfirmPublisher } from '../amqp/publisher.ts'
import { QueueAges } from '../amqp/queue-ages.ts'
import { delayQueue, plainQueue, type Queue } from '../amqp/topology.ts'
import { type BackoffRange, backoff } from '../bridge/backoff.ts'
import { Dispatcher } from '../bridge/dispatcher.ts'
import type { Intake, Log } from '../bridge/ports.ts'
import { staticParams } from '../bridge/request.ts'
import { retryDelays, retryQueue } from '../bridge/retry.ts'
import { Settlement } from '../bridge/settlement.ts'
import type { RunConfig } from '../config/config.ts'
import { formatPoolAddress } from '../fastcgi/address.ts'
import { PoolClient } from '../fastcgi/client.ts'
import type { FastCgiClient } from '../fastcgi/types.ts'
import { createLibraryClient } from '../fastcgi-library.ts'
import { describePool } from './pool-description.ts'

/** The broker must be consumed from within 5 s of its return, so the longest pause is well below. */
const SESSION_DELAY: BackoffRange = { min: 100, max: 2_000 }

/** Publishing is prepared beside everything else, and may take its time. */
const PREPARE_DELAY: BackoffRange = { min: 500, max: 30_000 }

type State =
  | { readonly kind: 'starting' | 'running' | 'stopped' }
  | { readonly kind: 'draining'; readonly end: Promise<DrainEnd> }

/** Whether everything in flight was settled before the drain timeout. */
export type DrainEnd = 'drained' | 'overdue'

/**
 * The composition root: owns consumer, dispatcher and publisher, brings them up, and takes them down in reverse.
 *
 * starting -> running -> draining -> stopped
 */
export class Daemon {
  readonly #config: RunConfig
  readonly #log: Log
  readonly #gaveUp = new AbortController()
  readonly #brokers: BrokerList
  readonly #client: FastCgiClient
  readonly #publisher: ConfirmPublisher
  readonly #dispatcher: Dispatcher
  readonly #consumer: Consumer
  #state: State = { kind: 'starting' }

  constructor(config: RunConfig, log: Log, version: string) {
    this.#config = config
    this.#log = log
    // One for each copy that is being published; Node.js warns of more than ten.
    setMaxListeners(0, this.#gaveUp.signal)
    const { queue, daemonId, prefetch, declare } = config
    const { always, atNeed } = queuesOf(config)
    const ages = new QueueAges(true)
    this.#brokers = new BrokerList(config.brokers, log)
    this.#client = createClient(config, version)
    const brokers = this.#brokers
    this.#publisher = new ConfirmPublisher(
      { brokers, name: `${daemonId} publisher`, topology: { queues: [...always, ...atNeed], declare, ages } },
      log,
    )
    const intake: Intake = {
      pause: () => this.#consumer.pause(),
      resume: () => this.#consumer.resume(),
      widen: () => this.#consumer.widen(),
    }
    const settlement = new Settlement(config, this.#publisher, intake, this.#gaveUp.signal, log)
    this.#dispatcher = new Dispatcher(config, this.#client, settlement, intake, log)
    this.#consumer = new Consumer(
      {
        brokers,
        topology: { queues: declare ? always : [...always, ...atNeed], declare, ages },
        queue,
        prefetch,
        allowTransient: config.allowTransientQueue,
        consumerTag: daemonId,
        delay: (attempt) => backoff(attempt, SESSION_DELAY),
        onImpatience: (milliseconds) => {
          this.#dispatcher.patience.shorten(milliseconds)
          settlement.shorten(milliseconds)
        },
      },
      (delivery) => this.#dispatcher.accept(delivery),
      log,
    )
  }

  /**
   * Resolves when messages are consumed, or when drained before it came to that. Broker and pool may be away:
   * both are waited for.
   *
   * @throws {BrokerError} when waiting makes no sense: the broker refuses what the configuration asks for
   */
  async start(): Promise<void> {
    const { pool, script, concurrency, payload } = this.#config
    this.#log.info('Starting.', {
      pid: process.pid,
      pool: formatPoolAddress(pool),
      script,
      payload,
      concurrency,
    })
    this.#brokers.warnOfInsecure()
    this.#warnOfEndlessExecutions()
    void describePool(this.#config, this.#log)
    // What fails for good must fail before the first message is executed.
    await this.#prepareCopies()
    await Promise.all([this.#dispatcher.probe(), this.#consumer.start()])
    if (this.#state.kind === 'starting') this.#state = { kind: 'running' }
  }

  /**
   * Declares the queues that copies go to, before there is any: nothing may be published into a young quorum queue. What may pass is
   * tried again beside everything else.
   *
   * @throws {BrokerError} when waiting makes no sense
   */
  async #prepareCopies(attempt = 1): Promise<void> {
    if (this.#state.kind === 'draining' || this.#state.kind === 'stopped') return
    try {
      await this.#publisher.prepare()
    } catch (error) {
      if (attempt === 1 && error instanceof BrokerError && error.permanent) throw error
      const reason = error instanceof Error ? error.message : String(error)
      this.#log[attempt === 1 ? 'warn' : 'debug']('Cannot prepare for copies; trying again.', { reason })
      const again = setTimeout(() => void this.#prepareCopies(attempt + 1), backoff(attempt, PREPARE_DELAY))
      this.#gaveUp.signal.addEventListener('abort', () => clearTimeout(again))
    }
  }

  /**
   * Stops consuming, hands back what has not started, and lets what is in flight finish. After the drain timeout
   * the rest is left unacked. Idempotent: a second call waits for the same end.
   */
  drain(): Promise<DrainEnd> {
    if (this.#state.kind === 'draining') return this.#state.end
    if (this.#state.kind === 'stopped') return Promise.resolve('drained')
    const end = this.#drain()
    this.#state = { kind: 'draining', end }
    return end
  }

  /** Ends a drain as its timeout does: what is not settled by now is given up. Idempotent. */
  destroy(): void {
    this.#gaveUp.abort()
  }

  async #drain(): Promise<DrainEnd> {
    const { drainTimeout } = this.#config
    this.#log.info('Draining.', { inFlight: this.#dispatcher.inFlight, drainTimeoutMs: drainTimeout })
    const timer = setTimeout(() => this.destroy(), drainTimeout)
    const overdue = new Promise<DrainEnd>((resolve) => {
      this.#gaveUp.signal.addEventListener('abort', () => resolve('overdue'))
    })
    const end = await Promise.race([this.#finish(), overdue])
    clearTimeout(timer)
    // What is given up says so in this turn, each message by its id; the process ends after it.
    await turn()
    this.#state = { kind: 'stopped' }
    if (end === 'drained') this.#log.info('Stopped.', { ...this.#dispatcher.counts })
    else {
      this.#dispatcher.giveUp()
      this.#log.error('Stopped before all was done: what is unacked will be delivered again.', {
        ...this.#dispatcher.counts,
        inFlight: this.#dispatcher.inFlight,
      })
    }
    return end
  }

  /** Settling needs the channel the delivery came on, so that closes after the last of them. */
  async #finish(): Promise<DrainEnd> {
    await Promise.all([this.#consumer.cancel(), this.#dispatcher.drain()])
    await this.#consumer.close()
    await this.#publisher.close()
    this.#client.close()
    return 'drained'
  }

  #warnOfEndlessExecutions(): void {
    const { ack, timeout, consumerTimeout } = this.#config
    if (ack !== 'completed' || timeout > 0 || consumerTimeout === 0) return
    this.#log.warn(
      'Without --timeout a script may run for longer than the broker waits for an ack; then the broker delivers its message again, and all that are in flight.',
      { consumerTimeoutMs: consumerTimeout },
    )
  }
}

/** The queues a daemon needs: at once, and when the first message has to rest for that long. */
function queuesOf(config: RunConfig): { always: readonly Queue[]; atNeed: readonly Queue[] } {
  const { queue, deadLetterQueue, queueType, maxAttempts } = config
  const delays = maxAttempts > 1 ? retryDelays(config) : []
  return {
    always: [queue, deadLetterQueue].map((name) => plainQueue(name, queueType)),
    atNeed: delays.map((delay) => delayQueue(retryQueue(queue, delay), delay, queue)),
  }
}

function createClient(config: RunConfig, version: string): FastCgiClient {
  const { pool: address, maxResponse, maxStderr, keepAlive, timeout, statusPath } = config
  const options = { address, params: staticParams(config, version), maxResponse, maxStderr }
  return config.transport === 'native'
    ? new PoolClient({ ...options, keepAlive, timeout, statusPath })
    : createLibraryClient(options)
}
