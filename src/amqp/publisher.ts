import { type ChannelModel, type ConfirmChannel, IllegalOperationError, type Options } from 'amqplib'
import type { Log, OutgoingMessage, Publisher } from '../bridge/ports.ts'
import { asBrokerError, BrokerError, withDeadline } from './broker-error.ts'
import type { BrokerList } from './broker-list.ts'
import type { BrokerUrl } from './broker-url.ts'
import { closeConnection, openConnection, RPC_TIMEOUT } from './connection.ts'
import { examineQueues, type Finding } from './queue-fitness.ts'
import { ensureQueues, type Queue, type Topology } from './topology.ts'

export interface PublisherOptions {
  readonly brokers: BrokerList
  readonly name: string
  readonly topology: Topology
}

/** Tells a returned message from all others that are on their way. */
const PUBLISH_ID = 'x-fpm-bridge-publish-id'

interface OpenChannel {
  readonly connection: ChannelModel
  readonly channel: ConfirmChannel
  /** Publish ids of messages that came back as unroutable and are not confirmed yet. */
  readonly returned: Set<unknown>
  /**
   * By name, the looks for queues, begun or done; a message that comes back tells of one that is gone. All wait for the
   * same look: beside a declare that is under way another one succeeds at once, and the quorum queue, which has no
   * leader yet, refuses what is published then.
   */
  readonly ensured: Map<string, Promise<void>>
  /** Why the broker has closed the channel, if it has: amqplib tells each message only that it is closed. */
  refusal: Error | undefined
  /** While more would pile up in memory. */
  full: Full | undefined
}

/** One for all who wait: of those who publish at the same time, several may find that the channel is full. */
interface Full {
  /** Resolves when the channel takes more, or is gone. */
  readonly over: Promise<void>
  readonly end: () => void
}

/**
 * Publishes with confirms and `mandatory`, on a connection of its own: a broker in alarm stops reading from
 * connections that publish, and acks must not be stuck behind that. Opened at first need, and again after a loss.
 */
export class ConfirmPublisher implements Publisher {
  readonly #options: PublisherOptions
  readonly #log: Log
  #open: Promise<OpenChannel> | undefined
  #sequence = 0

  constructor(options: PublisherOptions, log: Log) {
    this.#options = options
    this.#log = log
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
   * @throws {BrokerError} INVALID_MESSAGE when it cannot be encoded, UNROUTABLE when no queue took the message, NOT_CONFIRMED
   * when the broker refused it or the connection ended first (it may be in the queue), or why there is no connection
   */
  async publish(message: OutgoingMessage): Promise<void> {
    const open = await this.#channel()
    const { queues } = this.#options.topology
    await this.#ensure(
      open,
      queues.filter(({ name }) => name === message.queue),
    )
    await open.full?.over
    this.#sequence += 1
    const id = String(this.#sequence)
    const headers = { ...message.properties.headers, [PUBLISH_ID]: id }
    // amqplib takes undefined for a property that is not set; its types leave that out.
    const properties = { ...message.properties, headers, mandatory: true } as Options.Publish
    await new Promise<void>((resolve, reject) => {
      const settle = (error: Error | null): void => {
        // amqplib confirms a returned message like any other; the return comes before the confirm.
        if (open.returned.delete(id)) reject(unroutable(message.queue))
        else if (error !== null) reject(notConfirmed(open.refusal ?? error))
        else resolve()
      }
      try {
        if (!open.channel.publish('', message.queue, message.body, properties, settle)) open.full ??= begin()
      } catch (error) {
        reject(error instanceof IllegalOperationError ? notConfirmed(error) : invalid(error))
      }
    })
  }

  /** Closes the connection. What is not confirmed by then fails with NOT_CONFIRMED. Idempotent. */
  async close(): Promise<void> {
    const open = await this.#open?.catch(() => undefined)
    this.#open = undefined
    if (open !== undefined) await closeConnection(open.connection)
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

  /** Looks for them together, so that one error names all that are missing. */
  async #ensure(open: OpenChannel, wanted: readonly Queue[]): Promise<void> {
    const queues = wanted.filter(({ name }) => !open.ensured.has(name))
    if (queues.length > 0) {
      const look = ensureQueues(open.connection, { ...this.#options.topology, queues })
      for (const { name } of queues) open.ensured.set(name, look)
      look.catch(() => {
        for (const { name } of queues) open.ensured.delete(name)
      })
    }
    await Promise.all(wanted.map(({ name }) => open.ensured.get(name)))
  }

  #channel(): Promise<OpenChannel> {
    this.#open ??= this.#connect().catch((error: unknown) => {
      this.#open = undefined
      throw error
    })
    return this.#open
  }

  async #connect(): Promise<OpenChannel> {
    const [open] = await this.#options.brokers.open((broker) => this.#connectTo(broker))
    return open
  }

  async #connectTo(broker: BrokerUrl): Promise<OpenChannel> {
    const { name } = this.#options
    const connection = await openConnection(broker, name)
    try {
      const channel = await withDeadline(connection.createConfirmChannel(), RPC_TIMEOUT, 'confirm.select')
      const open: OpenChannel = {
        connection,
        channel,
        returned: new Set(),
        ensured: new Map(),
        refusal: undefined,
        full: undefined,
      }
      const takesMore = (): void => {
        open.full?.end()
        open.full = undefined
      }
      channel.on('error', (error) => {
        open.refusal = error
      })
      channel.on('return', (message) => {
        open.returned.add(message.properties.headers?.[PUBLISH_ID])
        open.ensured.delete(message.fields.routingKey)
      })
      channel.on('drain', takesMore)
      channel.on('close', () => {
        takesMore()
        this.#open = undefined
        void closeConnection(connection)
      })
      connection.on('blocked', (reason) =>
        this.#log.warn('The broker takes no messages at the moment; publishing waits.', { reason }),
      )
      connection.on('unblocked', () => this.#log.info('The broker takes messages again.'))
      return open
    } catch (error) {
      await closeConnection(connection)
      throw asBrokerError(error, 'the start of the publisher')
    }
  }
}

function begin(): Full {
  let end = (): void => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  return { over, end }
}

function invalid(cause: unknown): BrokerError {
  return new BrokerError(
    'INVALID_MESSAGE',
    `AMQP cannot express the message's properties: ${String(cause)}`,
    { cause },
  )
}

function unroutable(queue: string): BrokerError {
  return new BrokerError('UNROUTABLE', `no queue "${queue}" took the message; it was returned`)
}

function notConfirmed(cause: unknown): BrokerError {
  return new BrokerError('NOT_CONFIRMED', `the broker has not confirmed the message: ${String(cause)}`, {
    cause,
  })
}
