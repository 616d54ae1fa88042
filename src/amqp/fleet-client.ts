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
import { endPause, putPause } from './pause-marker.ts'
import { replyOf, withRemedy } from './reply.ts'
import { exists, onOwnChannel, plainQueue } from './topology.ts'

/** Milliseconds for which answers are gathered: who has not answered by then is away, or busy beyond reason. */
const PATIENCE = 1_000

/** Until when answers are gathered. */
export interface Gathering {
  /** Milliseconds at most; default: one second. */
  readonly within?: number
  /** So many are all of them; default: nobody knows. */
  readonly expected?: number
}

/** @returns undefined for what no daemon would answer */
export type ReadReport = (body: Buffer) => DaemonReport | undefined

/** An operator's end: tells daemons by way of the exchange, and hears their answers. */
export class FleetClient {
  readonly #lease: Lease
  readonly #channel: Channel
  readonly #read: ReadReport
  /** By daemon: of the command that was told last. */
  readonly #answers = new Map<string, DaemonReport>()
  #correlationId = ''
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
  }

  /**
   * Tells all daemons, or the ones that the command names.
   *
   * @returns how they are after they have obeyed; by daemon id
   * @throws {BrokerError} where the user may not tell
   */
  async ask(verb: Verb, command: Command, gathering: Gathering = {}): Promise<readonly DaemonReport[]> {
    const { within = PATIENCE, expected = Number.POSITIVE_INFINITY } = gathering
    if (!(await this.#hasExchange())) return []
    this.#answers.clear()
    this.#correlationId = randomUUID()
    this.#channel.publish(CONTROL_EXCHANGE, verb, Buffer.from(JSON.stringify(command)), {
      type: `${CONTROL_TYPE}${verb}`,
      contentType: 'application/json',
      replyTo: DIRECT_REPLY_TO,
      correlationId: this.#correlationId,
    })
    for (const end = performance.now() + within; performance.now() < end; await pause(5)) {
      if (this.#refusal !== undefined) throw this.#refusal
      if (this.#answers.size >= expected) break
    }
    return [...this.#answers.values()].sort((a, b) => (a.daemon_id < b.daemon_id ? -1 : 1))
  }

  /** @returns how many consumers the broker counts, of whoever; undefined where there is no such queue */
  async consumersOf(queue: string): Promise<number | undefined> {
    const { connection } = this.#lease
    if (!(await exists(connection, plainQueue(queue, 'classic')))) return undefined
    let consumers = 0
    await onOwnChannel(connection, async (channel) => {
      consumers = (await channel.checkQueue(queue)).consumerCount
    })
    return consumers
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

function refusal(error: Error): BrokerError {
  const reply = replyOf(error)
  if (reply?.code !== 403) return asBrokerError(error, 'the command')
  const remedy = `give the user the permission to write "${CONTROL_EXCHANGE}"`
  return new BrokerError('CONTROL_REFUSED', withRemedy(reply.text, remedy), { cause: error })
}
