import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import { withDeadline } from './broker-error.ts'
import { RPC_TIMEOUT, reasonOf } from './connection.ts'
import { consumeError } from './queue-error.ts'

export interface SubscriptionOptions {
  readonly queue: string
  /** Of a consumer that follows another on the channel: with a number. */
  readonly consumerTag: string
}

/** Who has the channel. */
export interface Subscriber {
  isOpen(): boolean
  /** @param message null: the broker has cancelled the consumer */
  onMessage(message: ConsumeMessage | null): void
  /** No consumer has come of it, though one is wanted. */
  onFailure(reason: string): void
}

/** Asks for the deliveries of a channel: by one consumer of the broker's after the other, each with a tag of its own. */
export class Subscription {
  readonly #connection: ChannelModel
  readonly #channel: Channel
  readonly #options: SubscriptionOptions
  readonly #subscriber: Subscriber
  #consumers = 0
  #consuming = false
  /** Whether deliveries are asked for, or will be when it is the turn of that. */
  #wanted = false
  #turn: Promise<void> = Promise.resolve()

  constructor(
    connection: ChannelModel,
    channel: Channel,
    options: SubscriptionOptions,
    subscriber: Subscriber,
  ) {
    this.#connection = connection
    this.#channel = channel
    this.#options = options
    this.#subscriber = subscriber
  }

  /** To be called before anything else. @throws {BrokerError} why the broker delivers nothing */
  async start(): Promise<void> {
    this.#wanted = true
    await this.#consume()
  }

  /** Asks for no more deliveries. Those on their way still arrive, until this resolves. Idempotent. */
  cancel(): Promise<void> {
    this.#wanted = false
    return this.#inTurn(async () => {
      if (!this.#consuming) return
      this.#consuming = false
      await this.#cancel(this.#tag)
    })
  }

  /** Asks for deliveries, again or at first. Idempotent. */
  resume(): Promise<void> {
    this.#wanted = true
    return this.#inTurn(async () => {
      if (!this.#consuming) await this.#consumeAgain()
    })
  }

  /**
   * Asks for `prefetch` deliveries more, by another consumer in place of this one: it does not count what that one has left unacked
   * (RabbitMQ's basic.qos is for each consumer). It begins before the other ends: a queue may go with its last consumer.
   *
   * @param prefetch of that consumer, and of those after it; default: as it is
   */
  widen(prefetch?: number): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#wanted || !this.#consuming) return
      if (prefetch !== undefined) await this.limit(prefetch).catch(() => {})
      const former = this.#tag
      await this.#consumeAgain()
      await this.#cancel(former)
    })
  }

  /** Lets consumers that begin from now on have so many deliveries unacked at most, 1 to 65,535. */
  async limit(prefetch: number): Promise<void> {
    await withDeadline(this.#channel.prefetch(prefetch), RPC_TIMEOUT, 'basic.qos')
  }

  /** One after the other: a consumer that is cancelled while it begins would go on. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(() => (this.#subscriber.isOpen() ? step() : undefined))
    return this.#turn
  }

  /**
   * No tag is used twice on one channel: while deliveries of a cancelled consumer are unacked, a quorum queue takes the next one
   * of its name for the same, and misses what has gone (RabbitMQ 3.10 then closes the connection, and executes all again).
   */
  get #tag(): string {
    const { consumerTag } = this.#options
    // Their order is that of their names: a quorum queue goes by those where it takes back what all of them have left.
    return this.#consumers === 1 ? consumerTag : `${consumerTag}.${String(this.#consumers).padStart(3, '0')}`
  }

  async #consume(): Promise<void> {
    const { queue } = this.#options
    this.#consumers += 1
    this.#consuming = true
    const consuming = this.#channel.consume(queue, (message) => this.#subscriber.onMessage(message), {
      consumerTag: this.#tag,
    })
    await withDeadline(consuming, RPC_TIMEOUT, 'basic.consume').catch((error: unknown) => {
      throw consumeError(queue, reasonOf(this.#connection, error))
    })
  }

  async #consumeAgain(): Promise<void> {
    await this.#consume().catch((error: unknown) =>
      this.#subscriber.onFailure(`cannot consume again: ${String(error)}`),
    )
  }

  async #cancel(consumerTag: string): Promise<void> {
    // If that fails the session is ending, and with it the consumer.
    await withDeadline(this.#channel.cancel(consumerTag), RPC_TIMEOUT, 'basic.cancel').catch(() => {})
  }
}
