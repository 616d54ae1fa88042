import { setTimeout as sleep } from 'node:timers/promises'
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import type { AckMode } from '../../src/bridge/ports.ts'
import { type BridgeProcess, type LogLine, spawnBridge } from '../support/bridge-process.ts'
import type { Broker } from '../support/broker-api.ts'
import { eventually } from '../support/eventually.ts'
import { takeAll } from '../support/messages.ts'
import { type Pool, startPool } from '../support/pool.ts'
import type { PoolOptions } from '../support/pool-configuration.ts'
import { childrenOf, isAlive, isPending, signalIfThere } from '../support/processes.ts'
import type { Releases } from '../support/releases.ts'
import { stopChildren } from '../support/standing-children.ts'
import { accountOf } from './accounts.ts'
import type { Books } from './books.ts'
import { type CutOff, withCutOff } from './cut-off.ts'
import { takeDeadLetters } from './ending.ts'
import { byMessage, type Evidence } from './fates.ts'
import type { Journal } from './journal.ts'
import { type Asked, bodyOf } from './message-plan.ts'
import { installWorker, type Worker } from './worker.ts'

export interface StandOptions {
  readonly broker: Broker
  readonly mode: AckMode
  /** Whether its worker is one for many messages in a request; default: no. */
  readonly many?: boolean
  readonly queue: string
  /** More about the pool; its children keep the journal and reload within 10 s. */
  readonly pool: PoolOptions
}

export interface DaemonOptions {
  /** Default: the broker itself. */
  readonly url?: string
  /** Default: the pool's. */
  readonly socket?: string
  readonly args?: readonly string[]
}

/** Milliseconds without a line in the journal after which nothing more is expected. */
const QUIET = 5_000

/** Milliseconds that a daemon gets for its drain before it is killed. */
const DRAINS_WITHIN = 10_000

/** A queue, a pool whose worker keeps a journal, and one daemon between them. */
export class Stand {
  readonly broker: Broker
  readonly mode: AckMode
  readonly queue: string
  readonly pool: Pool
  readonly journal: Journal
  readonly worker: Worker
  /** What was published and confirmed. */
  readonly published = new Map<string, Asked>()
  /** What its children were executing when they were killed. */
  readonly #cutOff: CutOff[] = []
  readonly #daemons: { readonly id: string; readonly process: BridgeProcess }[] = []
  #connection: ChannelModel | undefined
  #channel: ConfirmChannel | undefined

  /** @param releases gets what takes each thing down, as soon as it is there */
  static async open(options: StandOptions, releases: Releases): Promise<Stand> {
    const worker = installWorker(options.many)
    releases.push(() => worker.journal.close())
    const pool = await startPool({
      global: { process_control_timeout: '10s' },
      ...options.pool,
      environment: worker.environment,
    })
    releases.push(() => pool.close())
    const stand = new Stand(options, pool, worker)
    releases.push(() => stand.#close())
    const channel = await stand.#open()
    await channel.assertQueue(stand.queue, { durable: true })
    await channel.assertQueue(`${stand.queue}.dead`, { durable: true })
    return stand
  }

  private constructor({ broker, mode, queue }: StandOptions, pool: Pool, worker: Worker) {
    this.broker = broker
    this.mode = mode
    this.queue = queue
    this.pool = pool
    this.journal = worker.journal
    this.worker = worker
  }

  /** The last that was started. */
  get daemon(): BridgeProcess {
    return this.#daemons.at(-1)?.process as BridgeProcess
  }

  /** Resolves when it consumes. The one before, if there is one, has ended. */
  async startDaemon({ url, socket, args = [] }: DaemonOptions = {}): Promise<void> {
    const where = ['--url', url ?? this.broker.url, '--socket', socket ?? this.pool.socket]
    const what = ['--queue', this.queue, '--script', this.worker.script, '--ack', this.mode]
    const id = `${this.queue}-${this.#daemons.length + 1}`
    const name = ['--daemon-id', id, '--log-format', 'json']
    const process = await spawnBridge(['run', ...where, ...what, ...args, ...name])
    this.#daemons.push({ id, process })
    await process.waitForLine('Consuming.')
  }

  /** One that was started otherwise serves it from now on. */
  serve(process: BridgeProcess): void {
    this.#daemons.push({ id: '', process })
  }

  /** Every line of every daemon so far. */
  log(): LogLine[] {
    return this.#daemons.flatMap(({ process }) => process.log)
  }

  /** Resolves when the broker has confirmed it. */
  async publish(messageId: string, asked: Asked = {}): Promise<void> {
    const properties = { persistent: true, messageId, contentType: 'application/json' }
    const channel = await this.#open()
    await new Promise<void>((resolve, reject) => {
      channel.sendToQueue(this.queue, bodyOf(messageId, asked), properties, (error) =>
        error === null || error === undefined ? resolve() : reject(error),
      )
    })
    this.published.set(messageId, asked)
  }

  /** How many messages are ready in its queue. */
  async ready(): Promise<number> {
    return (await (await this.#open()).checkQueue(this.queue)).messageCount
  }

  /** How many messages rest in its dead-letter queue. */
  async deadLettered(): Promise<number> {
    return (await (await this.#open()).checkQueue(`${this.queue}.dead`)).messageCount
  }

  /** Ids of messages that a daemon's log tells the loss of. */
  complaints(): Set<string> {
    const ids = this.log().flatMap(({ message_id: messageId, outcome }) => {
      return typeof messageId === 'string' && (outcome === 'lost' || outcome === 'refused') ? [messageId] : []
    })
    return new Set(ids)
  }

  /**
   * Ends the pool in a way that kills its children, and notes what they were executing: a child that has read its request may not have
   * come to the first line of the script.
   */
  async endPool(end: (pool: Pool) => Promise<void>): Promise<void> {
    const standing = await stopChildren(this.pool)
    this.#cutOff.push(...standing.map((execution) => ({ ...execution, time: Date.now() })))
    const children = childrenOf(this.pool.masterPid)
    const ended = end(this.pool)
    // They stand still until they have what ends them, or they would go on.
    await eventually('each child is to end', () =>
      children.every((pid) => !isAlive(pid) || isPending(pid, 'SIGTERM')),
    )
    for (const pid of children) signalIfThere(pid, 'SIGCONT')
    await ended
  }

  /** What is known when nothing happens any more. Ends the daemon: what it has in its hands is the queue's again. */
  async evidence(): Promise<Evidence & { readonly books: Books }> {
    for (let lines = -1; lines !== this.journal.read().length; await sleep(QUIET)) {
      lines = this.journal.read().length
    }
    await this.#endDaemon()
    const journal = withCutOff(this.journal.read(), this.#cutOff, this.log())
    const deadLetters = await takeDeadLetters(this.broker, `${this.queue}.dead`)
    const left = await takeAll(this.broker, this.queue)
    const queued = new Set(left.map(({ properties }) => String(properties.messageId)))
    const accounts = this.#daemons.map(({ id, process }) => accountOf(id, process.log))
    const published = [...this.published.keys()]
    return {
      journal: byMessage(journal),
      complaints: this.complaints(),
      deadLettered: new Set(deadLetters.map(({ messageId }) => messageId)),
      queued,
      books: { mode: this.mode, accounts, journal, deadLetters, published, queued },
    }
  }

  /** The channel that it publishes on; another one when the broker was away. */
  async #open(): Promise<ConfirmChannel> {
    if (this.#channel !== undefined) return this.#channel
    const connection = await connect(this.broker.url)
    const channel = await connection.createConfirmChannel()
    for (const emitter of [connection, channel]) emitter.on('error', () => {})
    connection.on('close', () => {
      this.#channel = undefined
    })
    this.#connection = connection
    this.#channel = channel
    return channel
  }

  /** It drains, and tells its counters. */
  async #endDaemon(): Promise<void> {
    const { signal, exited, kill } = this.daemon
    signal('SIGTERM')
    await Promise.race([exited, sleep(DRAINS_WITHIN, undefined, { ref: false })])
    await kill()
  }

  async #close(): Promise<void> {
    await Promise.all(this.#daemons.map(({ process }) => process.kill()))
    await this.#connection?.close().catch(() => {})
  }
}
