import type { Delivery } from '../bridge/ports.ts'
import { BrokerError } from './broker-error.ts'
import type { BrokerList } from './broker-list.ts'
import type { Connections } from './connections.ts'
import type { Lease } from './lease.ts'
import { plainQueue } from './queue.ts'
import { factsOf, type QueueFacts } from './queue-facts.ts'
import { Session } from './session.ts'
import { countsOf } from './topology.ts'

/** What is done with a message: it stays in its queue, or is settled by the time the promise resolves, unless that says otherwise. */
export type Fate = 'keep' | Promise<'keep' | 'settled'>

/** How the reading ended: all that were there at its start; fewer, since others have taken some; or somebody has stopped it. */
export type Ending = 'all' | 'dry' | 'stopped'

export interface Window {
  /** Messages that may be handed out in advance, 1 to 60,000. */
  readonly messages: number
  /** Their bytes, going by the first body. */
  readonly bytes: number
  /** While more of them wait to be settled, it does not grow; default: any number may wait. */
  readonly waiting?: number
}

/** Milliseconds between two looks whether anything still comes, and how many of them in vain are enough. */
const INTERVAL = 250
const DRY = 2
const STALLED = 40

/** So that a queue of large bodies is not read one by one. */
const LEAST = 4
/** Deliveries that one consumer may have unsettled. */
const MOST = 60_000
/**
 * The window grows to so much less than what is kept. A quorum queue gives back in their order what up to 32 consumers hold (it has them in a
 * map of Erlang, which has no order if it is larger).
 */
const GROWTH = 2

/**
 * Reads the messages that are in a queue, each once, in their order, and gives back what is not settled: unacked to the end, they go to
 * nobody else meanwhile, and take their old places when the channel closes (measured with classic and quorum queues of RabbitMQ 3.10).
 * A quorum queue keeps the order only where all have been read, and counts a delivery of each.
 */
export class QueueBrowser {
  readonly facts: QueueFacts
  readonly #lease: Lease
  #session: Session | undefined
  #take: (delivery: Delivery) => Fate = () => 'keep'
  #onLate: (delivery: Delivery) => void = () => {}
  #asked: Window = { messages: 1, bytes: 0 }
  #window: number | undefined
  #widening = false
  #taken = 0
  #pending = 0
  /** Those of the window that stay. */
  #kept = 0
  #keptInAll = 0
  #ending: Ending | Error | undefined
  #settle: () => void = () => {}
  readonly #settled = new Promise<void>((resolve) => {
    this.#settle = resolve
  })

  /** @throws {BrokerError} no broker, or no such queue */
  static async open(brokers: BrokerList, connections: Connections, queue: string): Promise<QueueBrowser> {
    const [browser] = await brokers.open((broker) =>
      connections.open(broker, async (lease) => new QueueBrowser(lease, await factsOf(lease, queue))),
    )
    return browser
  }

  private constructor(lease: Lease, facts: QueueFacts) {
    this.#lease = lease
    this.facts = facts
  }

  /**
   * Once. The first message comes alone: what `take` throws over it costs no other one a delivery.
   *
   * @param take decides at once; what it throws, or its promise rejects with, ends the reading, after what is on its way
   * @param onLate hears of those that are handed out when the reading has ended: they are not taken, and yet given back
   * @throws {BrokerError} where the queue hands out nothing, or the channel has ended; or what `take` has thrown
   */
  async read(
    asked: Window,
    take: (delivery: Delivery) => Fate,
    onLate: (delivery: Delivery) => void,
  ): Promise<Ending> {
    if (this.facts.messages === 0) return 'all'
    this.#asked = asked
    this.#take = take
    this.#onLate = onLate
    const { name } = this.facts
    const options = {
      topology: { queues: [plainQueue(name, 'classic')], declare: false },
      queue: name,
      allowTransient: true,
      consumerTag: `fpm-bridge-look-${crypto.randomUUID()}`,
      prefetch: 1,
    }
    this.#session = await Session.open(this.#lease, options, (delivery) => this.#accept(delivery))
    void this.#session.ended.then((reason) => this.#end(new BrokerError('UNREACHABLE', reason)))
    const watch = this.#watch()
    this.#advance()
    await this.#settled
    clearInterval(watch)
    // Until then some more may come.
    await this.#session.cancel()
    if (this.#ending instanceof Error) throw this.#ending
    return this.#ending ?? 'stopped'
  }

  /** Takes no more; what is on its way is waited for. */
  stop(): void {
    this.#end('stopped')
  }

  /**
   * To be asked by whoever has settled something since the reading was over.
   *
   * @throws {BrokerError} why the session has ended: the broker may have all of it again
   */
  async requireSession(): Promise<void> {
    if (this.#session !== undefined && !this.#session.open)
      throw new BrokerError('UNREACHABLE', await this.#session.ended)
  }

  /** Gives back all that is not settled. Idempotent. */
  async close(): Promise<void> {
    await (this.#session?.close() ?? this.#lease.release())
  }

  #accept(delivery: Delivery): void {
    // What came after the last one that was there at the start is nobody's business.
    if (this.#ending !== undefined || this.#taken >= this.facts.messages) {
      this.#onLate(delivery)
      return
    }
    this.#taken += 1
    if (this.#taken === 1) this.#size(delivery.body.length)
    try {
      const fate = this.#take(delivery)
      if (fate === 'keep') this.#kept += 1
      else void this.#await(fate)
    } catch (error) {
      this.#end(error as Error)
    }
    this.#advance()
  }

  async #await(fate: Exclude<Fate, 'keep'>): Promise<void> {
    this.#pending += 1
    try {
      if ((await fate) === 'keep') this.#kept += 1
    } catch (error) {
      this.#end(error as Error)
    }
    this.#pending -= 1
    this.#advance()
  }

  #size(bytes: number): void {
    const { messages, bytes: atMost } = this.#asked
    const fitting = Math.floor(atMost / Math.max(1, bytes))
    this.#asked = { ...this.#asked, messages: Math.min(messages, MOST, Math.max(LEAST, fitting)) }
  }

  /** The first counts; but a failure of what is on its way is one also when all have been handed out. */
  #end(ending: Ending | Error): void {
    const isFault = ending instanceof Error && !(this.#ending instanceof Error)
    if (this.#ending === undefined || isFault) this.#ending = ending
    this.#advance()
  }

  #advance(): void {
    if (this.#taken >= this.facts.messages) this.#ending ??= 'all'
    if (this.#ending !== undefined) {
      // Whatever is settled from now on must not have the broker hand out more.
      void this.#session?.cancel()
      if (this.#pending === 0) this.#settle()
    } else if (this.#taken > 0 && this.#isNarrow) void this.#widen()
  }

  /** What stays takes places of the window for good. */
  get #isNarrow(): boolean {
    if (this.#session === undefined || this.#widening) return false
    if (this.#window === undefined) return true
    if (this.#pending > (this.#asked.waiting ?? MOST)) return false
    return this.#kept * 2 >= this.#window && this.#pending * 2 <= this.#window
  }

  async #widen(): Promise<void> {
    this.#widening = true
    this.#keptInAll += this.#kept
    this.#kept = 0
    this.#window = Math.min(MOST, Math.max(this.#asked.messages, Math.floor(this.#keptInAll / GROWTH)))
    await this.#session?.widen(this.#window)
    this.#widening = false
    this.#advance()
  }

  /** Others may consume what we have counted, and somebody may have the queue to himself. */
  #watch(): NodeJS.Timeout {
    const { name } = this.facts
    const queue = plainQueue(name, 'classic')
    let [seen, quiet, dry] = [0, 0, 0]
    return setInterval(async () => {
      const isQuiet = seen === this.#taken && this.#pending === 0
      seen = this.#taken
      if (!isQuiet) {
        quiet = 0
        dry = 0
        return
      }
      quiet += 1
      const counts = await countsOf(this.#lease.connection, queue).catch(() => undefined)
      const ready = counts?.messages
      dry = ready === 0 && seen === this.#taken ? dry + 1 : 0
      if (dry >= DRY) this.#end('dry')
      else if (quiet >= STALLED) this.#end(stalled(name, ready))
    }, INTERVAL)
  }
}

function stalled(queue: string, ready: number | undefined): BrokerError {
  const has = ready === undefined ? 'it does not answer' : `it has ${ready} messages`
  return new BrokerError(
    'UNREACHABLE',
    `queue "${queue}" hands out nothing, and ${has}: another consumer has it to itself (x-single-active-consumer), or it has no leader. Stop that consumer, and try again`,
  )
}
