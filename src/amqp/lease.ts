import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib'
import { channelLimit, isChannelLimit, isUnanswered, withDeadline } from './broker-error.ts'
import { CLOSE_TIMEOUT, RPC_TIMEOUT } from './connection.ts'
import type { OutgoingTables } from './outgoing-tables.ts'

/** How much is on its way to the broker on one connection, of all who publish on it. */
export interface Traffic {
  unconfirmed: number
}

/** What a lease is of. */
export interface Leasable {
  readonly connection: ChannelModel
  readonly tables: OutgoingTables
  readonly traffic: Traffic
  /** How many have it. */
  readonly holders: number
  /** Whether the broker reads nothing from it at the moment: it is in memory or disk alarm. */
  readonly blocked: boolean
  /** Whether the connection has ended. */
  readonly lost: boolean
  /** Nobody else gets it from now on. */
  retire(): void
  /** One holder less. The last one closes the connection, and this resolves when it is closed. */
  leave(): Promise<void>
}

type Listeners = {
  readonly close: (error?: Error) => void
  readonly error: (error: Error) => void
  readonly blocked: (reason: string) => void
  readonly unblocked: () => void
}

/**
 * What one bridge has of a connection that it may share with others: channels and listeners of its own, which go with it. The connection
 * goes with the last lease of it.
 */
export class Lease {
  readonly #of: Leasable
  readonly #channels = new Set<Channel>()
  readonly #listeners: (() => void)[] = []
  #released: Promise<void> | undefined

  constructor(of: Leasable) {
    this.#of = of
  }

  get connection(): ChannelModel {
    return this.#of.connection
  }

  get tables(): OutgoingTables {
    return this.#of.tables
  }

  get traffic(): Traffic {
    return this.#of.traffic
  }

  get blocked(): boolean {
    return this.#of.blocked
  }

  get lost(): boolean {
    return this.#of.lost
  }

  get shared(): boolean {
    return this.#of.holders > 1
  }

  /** @throws {BrokerError} CHANNEL_LIMIT or UNREACHABLE; or what amqplib throws */
  openChannel(): Promise<Channel> {
    return this.#opened(this.connection.createChannel(), 'channel.open')
  }

  /** @throws as openChannel */
  openConfirmChannel(): Promise<ConfirmChannel> {
    return this.#opened(this.connection.createConfirmChannel(), 'confirm.select')
  }

  /** Until the lease is released. */
  on<E extends keyof Listeners>(event: E, listener: Listeners[E]): void {
    this.connection.on(event, listener)
    this.#listeners.push(() => this.connection.off(event, listener))
  }

  /** Nobody else gets the connection from now on; those who have it keep it. */
  retire(): void {
    this.#of.retire()
  }

  /** Closes its channels, and the connection where nobody else has it. Idempotent. */
  release(): Promise<void> {
    this.#released ??= this.#release()
    return this.#released
  }

  async #release(): Promise<void> {
    for (const remove of this.#listeners) remove()
    // A connection that is closed takes its channels along.
    if (this.shared) await Promise.all([...this.#channels].map((channel) => this.#close(channel)))
    await this.#of.leave()
  }

  async #opened<T extends Channel>(opening: Promise<T>, method: string): Promise<T> {
    try {
      const channel = await withDeadline(opening, RPC_TIMEOUT, method)
      if (this.#released !== undefined) throw new Error('the channel is not needed any more')
      this.#channels.add(channel)
      channel.on('error', () => {})
      channel.on('close', () => this.#channels.delete(channel))
      return channel
    } catch (error) {
      opening.then((channel) => channel.close()).catch(() => {})
      throw isChannelLimit(error) ? channelLimit(error) : error
    }
  }

  /** Who gets no answer leaves the channel to the broker, and the connection to those who have it. */
  async #close(channel: Channel): Promise<void> {
    await withDeadline(channel.close(), CLOSE_TIMEOUT, 'channel.close').catch((error: unknown) => {
      if (isUnanswered(error)) this.retire()
    })
  }
}
