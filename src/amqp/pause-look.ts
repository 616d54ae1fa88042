import type { ChannelModel } from 'amqplib'
import type { Tell } from '../bridge/events.ts'
import type { PauseNote } from '../control/protocol.ts'
import { BrokerError } from './broker-error.ts'
import { endPause, lookForPause } from './pause-marker.ts'

/** Looks for the marker beside a queue, one look at a time, and takes away one whose time is over. */
export class PauseLook {
  readonly #queue: string
  readonly #onSeen: (note: PauseNote | undefined) => void
  readonly #tell: Tell
  #looking: Promise<void> = Promise.resolve()
  /** The refusal that was told last: it is found again with each look. */
  #told: string | undefined

  /** @param onSeen hears after each look why the queue is paused; undefined: it is not */
  constructor(queue: string, onSeen: (note: PauseNote | undefined) => void, tell: Tell) {
    this.#queue = queue
    this.#onSeen = onSeen
    this.#tell = tell
  }

  /** @throws {BrokerError} where the connection fails; what the broker refuses is told once, and pauses nothing */
  at(connection: ChannelModel): Promise<void> {
    const look = this.#looking.then(() => this.#look(connection))
    this.#looking = look.catch(() => {})
    return look
  }

  async #look(connection: ChannelModel): Promise<void> {
    try {
      const note = await lookForPause(connection, this.#queue)
      this.#onSeen(note !== undefined && isOver(note) ? await this.#end(connection, note) : note)
      this.#told = undefined
    } catch (error) {
      this.#tellRefusal(error)
    }
  }

  /** Whoever may not delete the marker goes by what it says all the same. @returns why it is paused now */
  async #end(connection: ChannelModel, note: PauseNote): Promise<PauseNote | undefined> {
    // Somebody may have put another one in its place.
    try {
      if (await endPause(connection, this.#queue, { onlyIfOver: new Date() })) return undefined
    } catch (error) {
      this.#tellRefusal(error)
      return undefined
    }
    const next = await lookForPause(connection, this.#queue)
    return next?.until === note.until ? undefined : next
  }

  #tellRefusal(error: unknown): void {
    if (!(error instanceof BrokerError && error.permanent)) throw error
    if (error.message !== this.#told) this.#tell({ kind: 'pause-unknown', reason: error.message })
    this.#told = error.message
  }
}

function isOver({ until }: PauseNote): boolean {
  return until !== undefined && Date.parse(until) <= Date.now()
}
