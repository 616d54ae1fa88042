import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Channel, ConsumeMessage } from 'amqplib'
import {
  CONTROL_EXCHANGE,
  CONTROL_TYPE,
  type Command,
  type DaemonReport,
  type PauseNote,
  type Verb,
} from '../control/protocol.ts'
import { asBrokerError, BrokerError } from './broker-error.ts'
import type { BrokerList } from './broker-list.ts'
import type { Connections } from './connections.ts'
import { DIRECT_REPLY_TO } from './direct-reply.ts'
import type { Lease } from './lease.ts'
import { onOwnChannel } from './own-channel.ts'
import { endPause, putPause } from './pause-marker.ts'
import { plainQueue } from './queue.ts'
import { replyOf, withRemedy } from './reply.ts'
import { countsOf, type QueueCounts } from './topology.ts'

/** Milliseconds for which answers are gathered: who has not answered by then is away, or busy beyond reason. */
const PATIENCE = 1_000

/** Milliseconds without an answer after which all have come, and for so many more at most they are gathered. */
const LULL = 100
const MAX_MORE = 4_000

/** Milliseconds between two looks at what has come. */
const LOOK_INTERVAL = 5

/** Until when answers are gathered. */
export interface Gathering {
  /** Milliseconds, and some more as long as answers come in; default: one second. */
  readonly within?: number
  /** Whether those that have come are all that are waited for; default: nobody knows how many there are. */
  readonly enough?: (reports: readonly DaemonReport[]) => boolean
}

/** @returns undefined for what no daemon would answer */
export type ReadReport = (body: Buffer) => DaemonReport | undefined

/** An operator's end: tells daemons by way of the exchange, and hears their answers. */
export class FleetClient {
  readonly #lease: Lease
  readonly #channel: Channel
  readonly #read: ReadReport
  /** By process: of the command that was told last. */
  readonly #answers = new Map<string, DaemonReport>()
  #correlationId = ''
  /** Looked for until it is there. */
  #exchangeIsThere = false
  /** Why nothing can be told any more. */
  #refusal: BrokerError | undefined

  /** @throws {BrokerError} */
  static async connect(
    brokers: BrokerList,
    connections: Connections,
    read: ReadReport,
  ): Promise<FleetClient> {
    const [client] = await brokers.open((broker) =>
      connections.open(broker, async (lease) => {
        try {
          const client = new FleetClient(lease, await lease.openChannel(), read)
          await client.#listen()
          return client
        } catch (error) {
          throw asBrokerError(error, 'the start')
        }
      }),
    )
    return client
  }

  private constructor(lease: Lease, channel: Channel, read: ReadReport) {
    this.#lease = lease
    this.#read = read
    this.#channel = channel
    channel.on('error', (error: Error) => {
      this.#refusal = refusal(error)
    })
    lease.on('close', () => {
      this.#refusal ??= new BrokerError('UNREACHABLE', 'the connection to the broker has ended')
    })
    lease.on('blocked', (reason) => {
      this.#refusal ??= new BrokerError(
        'UNANSWERED',
        `the broker takes no messages at the moment (${reason}): no daemon can be told anything until that is over`,
      )
    })
  }

  /**
   * Tells all daemons, or the ones that the command names.
   *
   * @returns how they are after they have obeyed; by daemon id
   * @throws {BrokerError} where the user may not tell, or the broker cannot
   */
  async ask(verb: Verb, command: Command, gathering: Gathering = {}): Promise<readonly DaemonReport[]> {
    const { within = PATIENCE, enough = () => false } = gathering
    this.#exchangeIsThere ||= await this.#hasExchange()
    if (!this.#exchangeIsThere) return []
    this.#answers.clear()
    this.#correlationId = randomUUID()
    this.#publish(verb, command)
    await this.#gather(within, enough)
    return [...this.#answers.values()].sort((a, b) => compare(a.daemon_id, b.daemon_id) || a.pid - b.pid)
  }

  /** @returns what the broker counts, consumers of whoever; undefined where there is no such queue */
  countsOf(queue: string): Promise<QueueCounts | undefined> {
    return countsOf(this.#lease.connection, plainQueue(queue, 'classic'))
  }

  /** Puts the marker of a pause, or replaces its note. @throws {BrokerError} */
  pause(queue: string, note: PauseNote): Promise<void> {
    return putPause(this.#lease.connection, queue, note)
  }

  /** @returns whether it was paused. @throws {BrokerError} */
  resume(queue: string): Promise<boolean> {
    return endPause(this.#lease.connection, queue)
  }

  async close(): Promise<void> {
    await this.#lease.release()
  }

  /** Where many are still answering, the last of them shall not be left out. */
  async #gather(within: number, enough: (reports: readonly DaemonReport[]) => boolean): Promise<void> {
    const start = performance.now()
    let [seen, last] = [0, start]
    for (;;) {
      await pause(LOOK_INTERVAL)
      if (this.#refusal !== undefined) throw this.#refusal
      const now = performance.now()
      if (this.#answers.size > seen) {
        if (enough([...this.#answers.values()])) return
        seen = this.#answers.size
        last = now
      }
      if (now - start >= within && (now - last >= LULL || now - start >= within + MAX_MORE)) return
    }
  }

  #publish(verb: Verb, command: Command): void {
    const body = Buffer.from(JSON.stringify(command))
    const properties = {
      type: `${CONTROL_TYPE}${verb}`,
      contentType: 'application/json',
      replyTo: DIRECT_REPLY_TO,
      correlationId: this.#correlationId,
    }
    try {
      this.#channel.publish(CONTROL_EXCHANGE, verb, body, properties)
    } catch (error) {
      // It has just been closed.
      throw this.#refusal ?? asBrokerError(error, verb)
    }
  }

  async #listen(): Promise<void> {
    await this.#channel.consume(DIRECT_REPLY_TO, (message) => this.#hear(message), { noAck: true })
  }

  #hear(message: ConsumeMessage | null): void {
    if (message?.properties.correlationId !== this.#correlationId) return
    const report = this.#read(message.content)
    if (report !== undefined) this.#answers.set(`${report.daemon_id} ${report.host} ${report.pid}`, report)
  }

  /** The first daemon with --control declares it. To publish to one that is missing would close the channel. */
  async #hasExchange(): Promise<boolean> {
    try {
      await onOwnChannel(this.#lease.connection, (channel) => channel.checkExchange(CONTROL_EXCHANGE))
      return true
    } catch (error) {
      const code = replyOf(error)?.code
      if (code === 404) return false
      // Who may not look may publish all the same.
      if (code === 403) return true
      throw asBrokerError(error, 'the look for the exchange')
    }
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function refusal(error: Error): BrokerError {
  const reply = replyOf(error)
  if (reply?.code !== 403) return asBrokerError(error, 'the command')
  const remedy = `give the user the permission to write "${CONTROL_EXCHANGE}"`
  return new BrokerError('CONTROL_REFUSED', withRemedy(reply.text, remedy), { cause: error })
}
