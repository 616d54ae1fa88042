import { setTimeout as pause } from 'node:timers/promises'
import type { Tell } from '../bridge/events.ts'
import type { OutgoingMessage, ReplyPublisher } from '../bridge/ports.ts'
import { BrokerError } from './broker-error.ts'
import type { BrokerList } from './broker-list.ts'
import type { Connections, Sharing } from './connections.ts'
import type { Answer } from './direct-reply.ts'
import type { Lease } from './lease.ts'
import { leaderless } from './publish-error.ts'
import { PublishingChannel } from './publishing-channel.ts'
import type { Queue } from './queue.ts'
import { examineQueues, type Finding } from './queue-fitness.ts'
import { quorumQueues, silentQueues } from './silent-queues.ts'
import { ensureQueues, type Topology } from './topology.ts'

/** Milliseconds after which queues are asked whether they answer: first there is more to do. */
const SILENCE_LOOK = 500

export interface PublisherOptions {
  readonly brokers: BrokerList
  /** Those to publish on. */
  readonly connections: Connections
  readonly topology: Topology
  /** Hears of answers to messages that ask for one with DIRECT_REPLY_TO, as long as their connection lasts. */
  readonly onAnswer?: (answer: Answer) => void
}

/**
 * Publishes with confirms and `mandatory`, on a connection that nobody consumes on: a broker in alarm stops reading from
 * connections that publish, and acks must not be stuck behind that. Opened at first need, and again after a loss.
 */
export class ConfirmPublisher implements ReplyPublisher {
  readonly #options: PublisherOptions
  readonly #tell: Tell
  #open: Promise<PublishingChannel> | undefined
  /**
   * By name, the looks for queues on this connection, begun or done. All wait for the same look: beside a declare that is
   * under way another one succeeds at once, and the quorum queue, which has no leader yet, refuses what is published then.
   */
  readonly #ensured = new Map<string, Promise<void>>()
  /** By queue, resolve when nobody publishes into it alone any more. */
  readonly #publishedAlone = new Map<string, Promise<void>>()

  constructor(options: PublisherOptions, tell: Tell) {
    this.#options = options
    this.#tell = tell
  }

  /**
   * Connects, and looks for all queues. Without it each happens at first need.
   *
   * @throws {BrokerError}
   */
  async connect(): Promise<void> {
    await this.#ensure(await this.#channel(), this.#options.topology.queues)
  }

  /**
   * As connect; finds out, too, whether the user may publish. Queues that do not answer are named as soon as that is known.
   *
   * @throws {BrokerError} a permanent one is a matter of configuration
   */
  async prepare(): Promise<void> {
    const channel = await this.#channel()
    const { queues } = this.#options.topology
    await this.#ensure(channel, queues)
    await channel.probe()
    void pause(SILENCE_LOOK, undefined, { ref: false }).then(() => this.#tellSilent(queues))
  }

  /**
   * @param alone on a connection that nobody else publishes on: when the broker ends it, there is no doubt for which message
   * @throws {BrokerError} HEADERS_TOO_LARGE or INVALID_MESSAGE when it cannot be encoded; UNROUTABLE when no queue took it;
   * MESSAGE_REFUSED when the broker takes no such message; SUSPECTED when that was this one or another that was on its way;
   * NOT_CONFIRMED when the connection ended first, or the queue is full (it may be in the queue); or why there is no connection
   */
  async publish(message: OutgoingMessage, alone = false): Promise<void> {
    const open = await this.#channel()
    const { queues } = this.#options.topology
    await this.#ensure(
      open,
      queues.filter(({ name }) => name === message.queue),
    )
    const rest = this.#options.topology.ages?.rest(message.queue) ?? 0
    if (rest > 0) await pause(rest)
    await (alone ? this.#alone(message.queue, (channel) => channel.publish(message)) : open.publish(message))
  }

  /**
   * For a direct reply-to, which is no queue.
   *
   * @param onSent called when it is with the socket
   * @param alone as with publish
   * @throws {BrokerError} as publish, but for UNROUTABLE
   */
  async send(message: OutgoingMessage, onSent: () => void, alone = false): Promise<void> {
    const send = (channel: PublishingChannel) => channel.send(message, onSent)
    await (alone ? this.#alone(message.queue, send) : send(await this.#channel()))
  }

  /** Leaves the connection. What is not confirmed by then fails with CUT_OFF. Idempotent. */
  async close(): Promise<void> {
    const open = await this.#open?.catch(() => undefined)
    this.#open = undefined
    await open?.close()
  }

  /** One after the other, each on a connection of its own: it is rare, and the broker may end it each time. */
  async #alone(queue: string, publish: (channel: PublishingChannel) => Promise<void>): Promise<void> {
    const before = this.#publishedAlone.get(queue) ?? Promise.resolve()
    const published = before.then(async () => {
      const channel = await this.#connect('alone', () => {})
      try {
        await publish(channel)
      } finally {
        await channel.close()
      }
    })
    const over = published.catch(() => {})
    this.#publishedAlone.set(queue, over)
    try {
      await published
    } finally {
      if (this.#publishedAlone.get(queue) === over) this.#publishedAlone.delete(queue)
    }
  }

  /**
   * To be called once connected.
   *
   * @returns what whoever publishes should know of the queues
   * @throws {BrokerError}
   */
  async examine(): Promise<readonly Finding[]> {
    const { connection } = await this.#channel()
    const demands = { consumed: undefined, allowTransient: true }
    return examineQueues(connection, this.#options.topology, demands)
  }

  /** Beside everything else: who does not answer takes seconds, and nothing depends on it. */
  async #tellSilent(queues: readonly Queue[]): Promise<void> {
    if (this.#open === undefined) return
    for (const queue of await this.#silent(queues))
      this.#tell({ kind: 'queue-silent', queue, remedy: leaderless(queue) })
  }

  /** Apart from all others: RabbitMQ closes the connection a minute after it was asked for what a queue without a leader holds. */
  async #silent(queues: readonly Queue[]): Promise<readonly string[]> {
    const quorum = quorumQueues(queues)
    if (quorum.length === 0) return []
    const { brokers, connections } = this.#options
    const look = async (lease: Lease): Promise<readonly string[]> => {
      const silent = await silentQueues(lease.connection, quorum)
      // What a connection that has ended did not answer says nothing of the queues.
      const isKnown = !lease.lost
      await lease.release()
      return isKnown ? silent : []
    }
    try {
      const [silent] = await brokers.open((broker) => connections.open(broker, look, 'alone'))
      return silent
    } catch (error) {
      // Without another connection it is not known.
      if (error instanceof BrokerError) return []
      throw error
    }
  }

  /** Looks for them together, so that one error names all that are missing. */
  async #ensure({ connection }: PublishingChannel, wanted: readonly Queue[]): Promise<void> {
    const queues = wanted.filter(({ name }) => !this.#ensured.has(name))
    if (queues.length > 0) {
      const look = ensureQueues(connection, { ...this.#options.topology, queues })
      for (const { name } of queues) this.#ensured.set(name, look)
      look.catch(() => {
        for (const { name } of queues) this.#ensured.delete(name)
      })
    }
    await Promise.all(wanted.map(({ name }) => this.#ensured.get(name)))
  }

  #channel(): Promise<PublishingChannel> {
    this.#open ??= this.#connect('shared', () => {
      this.#open = undefined
      // Another broker may have other queues.
      this.#ensured.clear()
    }).catch((error: unknown) => {
      this.#open = undefined
      throw error
    })
    return this.#open
  }

  async #connect(sharing: Sharing, onClosed: () => void): Promise<PublishingChannel> {
    const forget = (queue: string): void => void this.#ensured.delete(queue)
    const { brokers, connections, onAnswer } = this.#options
    const open = async (lease: Lease) => {
      const channel = await PublishingChannel.open(lease, this.#tell, forget, onClosed)
      if (onAnswer !== undefined) await channel.takeAnswers(onAnswer)
      return channel
    }
    const [channel] = await brokers.open((broker) => connections.open(broker, open, sharing))
    return channel
  }
}
