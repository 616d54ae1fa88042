import {
  type ChannelModel,
  type ConfirmChannel,
  type ConsumeMessage,
  IllegalOperationError,
  type Options,
} from 'amqplib'
import type { Tell } from '../bridge/events.ts'
import type { OutgoingMessage } from '../bridge/ports.ts'
import { asBrokerError, BrokerError, withDeadline } from './broker-error.ts'
import { frameMaxOf, numberOf, RPC_TIMEOUT } from './connection.ts'
import { type Answer, answerOf, DIRECT_REPLY_TO } from './direct-reply.ts'
import { encodeFields } from './header-fields.ts'
import type { Lease } from './lease.ts'
import { propertyBytes } from './property-bytes.ts'
import { forbidden, invalid, isForbidden, type Refusal, whyUnconfirmed } from './publish-error.ts'
import { PUBLISH_ID } from './publish-id.ts'
import { Unconfirmed } from './unconfirmed.ts'

/** While more would pile up in memory. One for all who wait: several may find at the same time that the channel is full. */
interface Full {
  /** Resolves when the channel takes more, or is gone. */
  readonly over: Promise<void>
  readonly end: () => void
}

/**
 * One channel that publishes, with confirms and `mandatory`, by way of the default exchange, on a connection that it may share with
 * others.
 */
export class PublishingChannel {
  readonly #lease: Lease
  readonly #channel: ConfirmChannel
  readonly #number: number
  readonly #unconfirmed: Unconfirmed
  /** The tag of the last message that was published. */
  #published = 0
  /** Why the broker has closed channel or connection, if it has: amqplib tells each message only that it is closed. */
  #refusal: Refusal | undefined
  #full: Full | undefined

  /**
   * @param lease is the channel's from now on, if it opens
   * @param onSuspectQueue hears of each queue that gave a message back, or does not confirm
   * @param onClosed is called once
   * @throws {BrokerError}
   */
  static async open(
    lease: Lease,
    tell: Tell,
    onSuspectQueue: (queue: string) => void,
    onClosed: () => void,
  ): Promise<PublishingChannel> {
    try {
      const channel = await lease.openConfirmChannel()
      return new PublishingChannel(lease, channel, tell, onSuspectQueue, onClosed)
    } catch (error) {
      throw asBrokerError(error, 'the start of the publisher')
    }
  }

  private constructor(
    lease: Lease,
    channel: ConfirmChannel,
    tell: Tell,
    onSuspectQueue: (queue: string) => void,
    onClosed: () => void,
  ) {
    this.#lease = lease
    this.#channel = channel
    this.#number = numberOf(channel)
    this.#unconfirmed = new Unconfirmed(lease.traffic, onSuspectQueue)
    // 0 with `multiple` means all that are outstanding (AMQP 0-9-1, basic.ack); amqplib takes it for a tag.
    const meanAll = (fields: { deliveryTag: number; multiple: boolean }): void => {
      if (fields.multiple && fields.deliveryTag === 0) fields.deliveryTag = this.#published
    }
    channel.prependListener('ack', meanAll)
    channel.prependListener('nack', meanAll)
    channel.on('error', (error) => this.#refuse(error, this.#unconfirmed.size))
    // Over a message of whoever publishes on it.
    lease.on('error', (error) => this.#refuse(error, lease.traffic.unconfirmed))
    channel.on('return', (message) => this.#unconfirmed.return(message))
    channel.on('drain', () => this.#takeMore())
    channel.on('close', () => {
      this.#takeMore()
      onClosed()
      void this.close()
    })
    lease.on('blocked', (reason) => {
      this.#unconfirmed.expectNone()
      tell({ kind: 'broker-blocked', reason })
    })
    lease.on('unblocked', () => {
      this.#unconfirmed.expectAgain()
      tell({ kind: 'broker-unblocked' })
    })
    if (lease.blocked) this.#unconfirmed.expectNone()
  }

  get connection(): ChannelModel {
    return this.#lease.connection
  }

  /**
   * @throws {BrokerError} HEADERS_TOO_LARGE, INVALID_MESSAGE, UNROUTABLE, NOT_CONFIRMED, UNANSWERED, CUT_OFF, SUSPECTED,
   * BODY_TOO_LARGE or MESSAGE_REFUSED
   */
  async publish(message: OutgoingMessage): Promise<void> {
    await this.#full?.over
    await this.#write(message, true)
  }

  /**
   * Without `mandatory`: what goes to a direct reply-to would always come back.
   *
   * @param onSent called when amqplib has it, and before it is confirmed: by then the broker has read it
   * @throws as publish; never UNROUTABLE
   */
  async send(message: OutgoingMessage, onSent: () => void): Promise<void> {
    await this.#full?.over
    const taken = this.#write(message, false)
    onSent()
    await taken
  }

  async #write({ queue, properties, headers, body }: OutgoingMessage, mandatory: boolean): Promise<void> {
    const id = this.#unconfirmed.nextId()
    // What is never returned need not be told from others.
    const table = encodeFields(mandatory ? [...headers, [PUBLISH_ID, id]] : headers)
    const excess = propertyBytes(properties) + table.length - frameMaxOf(this.connection)
    if (excess > 0) throw new BrokerError('HEADERS_TOO_LARGE', `${excess} bytes too many`, { excess })
    await new Promise<void>((resolve, reject) => {
      this.#unconfirmed.begin(id, queue, (error) => (error === undefined ? resolve() : reject(error)))
      const onConfirm = (error: Error | null): void => this.#unconfirmed.confirm(id, error, this.#refusal)
      try {
        // amqplib takes undefined for a property that is not set; its types leave that out.
        const options = { ...properties, mandatory } as Options.Publish
        const takesMore = this.#lease.tables.with(this.#number, table, () =>
          this.#channel.publish('', queue, body, options, onConfirm),
        )
        this.#published += 1
        if (!takesMore) this.#full ??= begin()
      } catch (error) {
        // The one is amqplib's for a channel that has closed.
        const closed = error instanceof IllegalOperationError
        this.#unconfirmed.fail(id, closed ? whyUnconfirmed(undefined, error, queue) : invalid(error))
      }
    })
  }

  /**
   * From now on a message may ask for an answer with DIRECT_REPLY_TO.
   *
   * @throws {BrokerError}
   */
  async takeAnswers(onAnswer: (answer: Answer) => void): Promise<void> {
    const take = (message: ConsumeMessage | null): void => {
      if (message !== null) onAnswer(answerOf(message))
    }
    try {
      const consuming = this.#channel.consume(DIRECT_REPLY_TO, take, { noAck: true })
      await withDeadline(consuming, RPC_TIMEOUT, 'basic.consume')
    } catch (error) {
      await this.close()
      throw asBrokerError(error, 'consuming from direct reply-to')
    }
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

  /**
   * Closes the channel, and the connection where nobody else has it. What is not confirmed by then fails with CUT_OFF.
   * Idempotent.
   */
  async close(): Promise<void> {
    await this.#lease.release()
    this.#unconfirmed.end(this.#refusal)
  }

  #refuse(error: Error, suspects: number): void {
    this.#refusal ??= { error, suspects }
  }

  #takeMore(): void {
    this.#full?.end()
    this.#full = undefined
  }
}

function begin(): Full {
  let end = (): void => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  return { over, end }
}
