import {
  type ChannelModel,
  type ConfirmChannel,
  IllegalOperationError,
  type Message,
  type Options,
} from 'amqplib'
import type { HeaderField, Log, OutgoingMessage } from '../bridge/ports.ts'
import { asBrokerError, BrokerError, withDeadline } from './broker-error.ts'
import type { BrokerUrl } from './broker-url.ts'
import { closeConnection, frameMaxOf, openConnection, RPC_TIMEOUT } from './connection.ts'
import { keepHeaderTables, tableOf } from './content-header-filter.ts'
import { encodeFields, splitFields } from './header-fields.ts'
import { OutgoingTables } from './outgoing-tables.ts'
import { propertyBytes } from './property-bytes.ts'
import {
  forbidden,
  invalid,
  isForbidden,
  type Refusal,
  unanswered,
  unroutable,
  whyUnconfirmed,
} from './publish-error.ts'
import { PUBLISH_ID } from './publish-id.ts'

/** Milliseconds for a confirm; none run while the broker is in alarm. */
const CONFIRM_TIMEOUT = 30_000
/** Milliseconds between two looks at the oldest message that is not confirmed. */
const CONFIRM_INTERVAL = 1_000

/** A message on its way. */
interface Unconfirmed {
  readonly queue: string
  /** Milliseconds of `performance.now()`. */
  readonly since: number
  readonly settle: (error?: BrokerError) => void
}

/** While more would pile up in memory. One for all who wait: several may find at the same time that the channel is full. */
interface Full {
  /** Resolves when the channel takes more, or is gone. */
  readonly over: Promise<void>
  readonly end: () => void
}

/** One connection with one channel that publishes, with confirms and `mandatory`, by way of the default exchange. */
export class PublishingChannel {
  readonly connection: ChannelModel
  readonly #channel: ConfirmChannel
  readonly #tables: OutgoingTables
  /** By publish id, in the order in which they were sent. */
  readonly #unconfirmed = new Map<string, Unconfirmed>()
  /** Publish ids of messages that came back as unroutable and are not confirmed yet. */
  readonly #returned = new Set<string>()
  readonly #onSuspectQueue: (queue: string) => void
  readonly #timer: NodeJS.Timeout
  #sequence = 0
  /** Why the broker has closed channel or connection, if it has: amqplib tells each message only that it is closed. */
  /** The tag of the last message that was published. */
  #published = 0
  #refusal: Refusal | undefined
  #full: Full | undefined
  /** Since when confirms can be expected, in milliseconds of `performance.now()`; undefined while the broker is in alarm. */
  #listening: number | undefined = 0

  /**
   * @param onSuspectQueue hears of each queue that gave a message back, or does not confirm
   * @param onClosed is called once
   * @throws {BrokerError}
   */
  static async open(
    broker: BrokerUrl,
    name: string,
    log: Log,
    onSuspectQueue: (queue: string) => void,
    onClosed: () => void,
  ): Promise<PublishingChannel> {
    const connection = await openConnection(broker, name)
    try {
      // A message that comes back brings its table along.
      keepHeaderTables(connection)
      const channel = await withDeadline(connection.createConfirmChannel(), RPC_TIMEOUT, 'confirm.select')
      return new PublishingChannel(connection, channel, log, onSuspectQueue, onClosed)
    } catch (error) {
      await closeConnection(connection)
      throw asBrokerError(error, 'the start of the publisher')
    }
  }

  private constructor(
    connection: ChannelModel,
    channel: ConfirmChannel,
    log: Log,
    onSuspectQueue: (queue: string) => void,
    onClosed: () => void,
  ) {
    this.connection = connection
    this.#channel = channel
    this.#onSuspectQueue = onSuspectQueue
    this.#tables = new OutgoingTables(connection)
    this.#timer = setInterval(() => this.#expire(), CONFIRM_INTERVAL).unref()
    const takesMore = (): void => {
      this.#full?.end()
      this.#full = undefined
    }
    const onError = (error: Error): void => {
      this.#refusal ??= { error, suspects: this.#unconfirmed.size }
    }
    // 0 with `multiple` means all that are outstanding (AMQP 0-9-1, basic.ack); amqplib takes it for a tag.
    const meanAll = (fields: { deliveryTag: number; multiple: boolean }): void => {
      if (fields.multiple && fields.deliveryTag === 0) fields.deliveryTag = this.#published
    }
    channel.prependListener('ack', meanAll)
    channel.prependListener('nack', meanAll)
    channel.on('error', onError)
    connection.on('error', onError)
    channel.on('return', (message) => this.#return(message))
    channel.on('drain', takesMore)
    channel.on('close', () => {
      takesMore()
      clearInterval(this.#timer)
      onClosed()
      void closeConnection(connection)
    })
    connection.on('blocked', (reason) => {
      this.#listening = undefined
      log.warn('The broker takes no messages at the moment; publishing waits.', { reason })
    })
    connection.on('unblocked', () => {
      this.#listening = performance.now()
      log.info('The broker takes messages again.')
    })
  }

  /**
   * @throws {BrokerError} HEADERS_TOO_LARGE, INVALID_MESSAGE, UNROUTABLE, NOT_CONFIRMED, UNANSWERED, CUT_OFF, SUSPECTED,
   * BODY_TOO_LARGE or MESSAGE_REFUSED
   */
  async publish({ queue, properties, headers, body }: OutgoingMessage): Promise<void> {
    await this.#full?.over
    this.#sequence += 1
    const id = String(this.#sequence)
    const table = encodeFields([...headers, [PUBLISH_ID, id]])
    const excess = propertyBytes(properties) + table.length - frameMaxOf(this.connection)
    if (excess > 0) throw new BrokerError('HEADERS_TOO_LARGE', `${excess} bytes too many`, { excess })
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: BrokerError): void => {
        this.#unconfirmed.delete(id)
        if (error === undefined) resolve()
        else reject(error)
      }
      this.#unconfirmed.set(id, { queue, since: performance.now(), settle })
      const onConfirm = (error: Error | null): void => {
        // amqplib confirms a returned message like any other; the return comes before the confirm.
        if (this.#returned.delete(id)) settle(unroutable(queue))
        else if (error === null) settle()
        else settle(whyUnconfirmed(this.#refusal, error, queue))
      }
      try {
        // amqplib takes undefined for a property that is not set; its types leave that out.
        const options = { ...properties, mandatory: true } as Options.Publish
        const takesMore = this.#tables.with(table, () =>
          this.#channel.publish('', queue, body, options, onConfirm),
        )
        this.#published += 1
        if (!takesMore) this.#full ??= begin()
      } catch (error) {
        // The one is amqplib's for a channel that has closed.
        settle(
          error instanceof IllegalOperationError ? whyUnconfirmed(undefined, error, queue) : invalid(error),
        )
      }
    })
  }

  /**
   * Finds out whether the user may publish: a message for a queue that does not exist comes back to who may, and closes the channel
   * of who may not.
   *
   * @throws {BrokerError} PUBLISH_REFUSED
   */
  async probe(): Promise<void> {
    const queue = `fpm-bridge-probe-${crypto.randomUUID()}`
    try {
      await this.publish({ queue, properties: {}, headers: [], body: Buffer.alloc(0) })
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code === 'UNROUTABLE') return
      throw isForbidden(error) ? forbidden(error) : error
    }
  }

  /** Closes the connection. What is not confirmed by then fails with NOT_CONFIRMED. Idempotent. */
  close(): Promise<void> {
    clearInterval(this.#timer)
    return closeConnection(this.connection)
  }

  #return({ properties, fields }: Message): void {
    const headers = splitFields(tableOf(properties.headers) ?? Buffer.alloc(0))
    this.#returned.add(text(headers.findLast(([name]) => name === PUBLISH_ID)?.[1]))
    this.#onSuspectQueue(fields.routingKey)
  }

  /** Nobody waits for ever: a quorum queue without a leader never confirms. */
  #expire(): void {
    if (this.#listening === undefined) return
    for (const { queue, since, settle } of this.#unconfirmed.values()) {
      if (performance.now() - Math.max(since, this.#listening) < CONFIRM_TIMEOUT) return
      this.#onSuspectQueue(queue)
      settle(unanswered(queue, CONFIRM_TIMEOUT))
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

/** The text of a long string, which has its type and its length before it. */
function text(value: HeaderField[1] | undefined): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8', 5) : ''
}
