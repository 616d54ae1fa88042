import { isDeepStrictEqual } from 'node:util'
import type { ChannelModel } from 'amqplib'
import { BrokerError, isUnanswered } from './broker-error.ts'
import type { BrokerUrl } from './broker-url.ts'
import { keepNumbersUntilSent } from './channel-numbers.ts'
import { closeConnection, openConnection } from './connection.ts'
import { keepHeaderTables } from './content-header-filter.ts'
import { gatherWrites } from './gathered-writes.ts'
import { type Leasable, Lease } from './lease.ts'
import { OutgoingTables } from './outgoing-tables.ts'

/** Whether others may have the same connection. */
export type Sharing = 'shared' | 'alone'

/** Where it is tried: others may take all channels of a connection that is shared. One of its own has enough of them, or none has. */
const TRIES: Readonly<Record<Sharing, readonly Sharing[]>> = {
  shared: ['shared', 'shared', 'alone'],
  alone: ['alone'],
}

/**
 * The connections of one process for one purpose, to consume or to publish: one per broker, which all bridges share, each with channels
 * of its own (docs/decisions/0023-bridges-share-connections.md).
 */
export class Connections {
  readonly #name: string
  /** Those that are opened or open, and that others may get. */
  readonly #offered = new Set<SharedConnection>()

  /** @param name what the broker's management page shows */
  constructor(name: string) {
    this.#name = name
  }

  /**
   * Opens something on a connection to the broker: on the one that is open or is being opened, otherwise on a new one.
   *
   * @param open gets a lease, which is released when it fails
   * @param sharing `alone`: on a connection of its own
   * @throws {BrokerError} why there is no connection, or what `open` throws
   */
  async open<T>(
    broker: BrokerUrl,
    open: (lease: Lease) => Promise<T>,
    sharing: Sharing = 'shared',
  ): Promise<T> {
    for (const [index, each] of TRIES[sharing].entries()) {
      const lease = await this.#lease(broker, each)
      try {
        return await open(lease)
      } catch (error) {
        const full = error instanceof BrokerError && error.code === 'CHANNEL_LIMIT'
        if (full || isUnanswered(error)) lease.retire()
        await lease.release()
        if (!full || index === TRIES[sharing].length - 1) throw error
      }
    }
    throw new Error('there is a try at least')
  }

  #lease(broker: BrokerUrl, sharing: Sharing): Promise<Lease> {
    if (sharing === 'alone') return new SharedConnection(broker, `${this.#name} alone`, () => {}).lease()
    for (const each of this.#offered)
      if (!each.blocked && isDeepStrictEqual(each.broker, broker)) return each.lease()
    const fresh = new SharedConnection(broker, this.#name, () => this.#offered.delete(fresh))
    this.#offered.add(fresh)
    return fresh.lease()
  }
}

/** One connection, from the moment it is asked for until its last holder has left. */
class SharedConnection implements Leasable {
  readonly broker: BrokerUrl
  readonly traffic = { unconfirmed: 0 }
  /** Called when nobody else may get it: at the latest when it ends, and before it is closed. */
  readonly retire: () => void
  readonly #opening: Promise<Opened>
  #opened: Opened | undefined
  #holders = 0
  #blocked = false
  #lost = false

  constructor(broker: BrokerUrl, name: string, retire: () => void) {
    this.broker = broker
    this.retire = retire
    this.#opening = this.#open(name)
  }

  get connection(): ChannelModel {
    return this.#known.connection
  }

  get tables(): OutgoingTables {
    return this.#known.tables
  }

  get holders(): number {
    return this.#holders
  }

  get blocked(): boolean {
    return this.#blocked
  }

  get lost(): boolean {
    return this.#lost
  }

  /** @throws {BrokerError} the same for all who have asked meanwhile */
  async lease(): Promise<Lease> {
    // From now on: who waits for it keeps it open.
    this.#holders += 1
    await this.#opening
    return new Lease(this)
  }

  async leave(): Promise<void> {
    this.#holders -= 1
    if (this.#holders > 0) return
    this.retire()
    await closeConnection(this.connection)
  }

  get #known(): Opened {
    if (this.#opened === undefined) throw new Error('the connection is leased before it is open')
    return this.#opened
  }

  async #open(name: string): Promise<Opened> {
    try {
      const connection = await openConnection(this.broker, name)
      keepHeaderTables(connection)
      keepNumbersUntilSent(connection)
      // A few for each holder; Node.js warns of more than ten.
      connection.setMaxListeners(0)
      // Before it closes it may wait for the broker's goodbye.
      connection.on('error', this.retire)
      connection.on('close', () => {
        this.#lost = true
        this.retire()
      })
      connection.on('blocked', () => {
        this.#blocked = true
      })
      connection.on('unblocked', () => {
        this.#blocked = false
      })
      gatherWrites(connection)
      this.#opened = { connection, tables: new OutgoingTables(connection) }
      return this.#opened
    } catch (error) {
      this.retire()
      throw error
    }
  }
}

interface Opened {
  readonly connection: ChannelModel
  readonly tables: OutgoingTables
}
