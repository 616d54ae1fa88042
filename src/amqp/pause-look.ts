import type { ChannelModel } from 'amqplib'
import type { Tell } from '../bridge/events.ts'
import { PAUSE_SUFFIX, type PauseNote } from '../control/protocol.ts'
import { BrokerError } from './broker-error.ts'
import { isStream } from './marker-queue.ts'
import { endPause, lookForPause } from './pause-marker.ts'
import { isOver } from './pause-note.ts'
import { plainQueue } from './queue.ts'
import { exists } from './topology.ts'

/**
 * `whole`: what the marker says, which takes it out of its queue for a moment. `glance`: whether it is there yet, where it is known what it
 * says.
 */
export type LookKind = 'whole' | 'glance'

/** Looks for the marker beside a queue, one look at a time, and takes away one whose time is over. */
export class PauseLook {
  readonly #queue: string
  readonly #onSeen: (note: PauseNote | undefined) => void
  readonly #tell: Tell
  #looking: Promise<unknown> = Promise.resolve()
  /** What was seen last. */
  #note: PauseNote | undefined
  /** It closes the connection of who reads it. */
  #isUnreadable = false
  /** The refusal that was told last: it is found again with each look. */
  #told: string | undefined

  /** @param onSeen hears after each look why the queue is paused; undefined: it is not */
  constructor(queue: string, onSeen: (note: PauseNote | undefined) => void, tell: Tell) {
    this.#queue = queue
    this.#onSeen = onSeen
    this.#tell = tell
  }

  /**
   * @returns why it is not known, where the broker refuses the look: that is told once, and pauses nothing
   * @throws {BrokerError} where the connection fails
   */
  at(connection: ChannelModel, kind: LookKind = 'whole'): Promise<string | undefined> {
    const look = this.#looking.then(() => this.#look(connection, kind))
    this.#looking = look.catch(() => {})
    return look
  }

  async #look(connection: ChannelModel, kind: LookKind): Promise<string | undefined> {
    try {
      this.#note = await (this.#isUnreadable || (kind === 'glance' && this.#isKnown)
        ? this.#glance(connection)
        : this.#read(connection))
      this.#onSeen(this.#note)
      this.#told = undefined
      return undefined
    } catch (error) {
      return this.#tellRefusal(error)
    }
  }

  get #isKnown(): boolean {
    return this.#note !== undefined && Object.keys(this.#note).length > 0 && !isOver(this.#note, Date.now())
  }

  async #glance(connection: ChannelModel): Promise<PauseNote | undefined> {
    const isThere = await exists(connection, plainQueue(this.#queue + PAUSE_SUFFIX, 'classic'))
    if (!isThere) this.#isUnreadable = false
    return isThere ? (this.#note ?? {}) : undefined
  }

  async #read(connection: ChannelModel): Promise<PauseNote | undefined> {
    const note = await this.#readOrBeCutOff(connection)
    return note !== undefined && isOver(note, Date.now()) ? this.#end(connection, note) : note
  }

  /** Once is enough: the next connection would end in the same way. */
  async #readOrBeCutOff(connection: ChannelModel): Promise<PauseNote | undefined> {
    try {
      return await lookForPause(connection, this.#queue)
    } catch (error) {
      this.#isUnreadable = error instanceof BrokerError && isStream(error.cause)
      throw error
    }
  }

  /** Whoever may not delete the marker goes by what it says all the same. @returns why it is paused now */
  async #end(connection: ChannelModel, note: PauseNote): Promise<PauseNote | undefined> {
    try {
      if (await endPause(connection, this.#queue, { onlyIfOver: new Date() })) return undefined
    } catch (error) {
      this.#tellRefusal(error)
      return undefined
    }
    // Somebody else has ended it, or put another one in its place.
    const next = await lookForPause(connection, this.#queue)
    return next?.until === note.until ? undefined : next
  }

  #tellRefusal(error: unknown): string {
    if (!(error instanceof BrokerError && error.permanent)) throw error
    if (error.message !== this.#told) this.#tell({ kind: 'pause-unknown', reason: error.message })
    this.#told = error.message
    return error.message
  }
}
