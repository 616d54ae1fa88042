import type { LookKind } from '../amqp/pause-look.ts'
import type { Pause } from '../bridge/gates/pause.ts'
import type { PauseNote } from '../control/protocol.ts'

/** Milliseconds between two looks at a marker that is there: somebody may take it away by hand, and its time may be over. */
const LOOK_INTERVAL = 2_000

/** What operators have a bridge do: rest while its queue is paused, or while they want it to. */
export class BridgeControl {
  readonly #pause: Pause
  readonly #look: (kind: LookKind) => Promise<string | undefined>
  #rested: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** @param look for the marker; what it sees is to be handed to `see` */
  constructor(pause: Pause, look: (kind: LookKind) => Promise<string | undefined>) {
    this.#pause = pause
    this.#look = look
  }

  /** What stands beside the queue; undefined: no marker. */
  see(note: PauseNote | undefined): void {
    if (this.#isClosed) return
    if (note === undefined) {
      this.#stopLooking()
      this.#pause.end('queue')
    } else {
      this.#rested = this.#pause.begin({ kind: 'queue', note })
      // Without a session the next one looks.
      this.#timer ??= setInterval(() => void this.#look('glance').catch(() => {}), LOOK_INTERVAL).unref()
    }
  }

  /** Takes no more until it is told to resume. */
  drain(): void {
    this.#rested = this.#pause.begin({ kind: 'drain' })
  }

  resume(): void {
    this.#pause.end('drain')
  }

  /**
   * Looks for the marker now.
   *
   * @returns why it does not know, or not yet
   */
  async look(): Promise<string | undefined> {
    try {
      return await this.#look('whole')
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** Resolves when what had not started when it was told last has gone back. */
  get rested(): Promise<void> {
    return this.#rested
  }

  /** Whatever the marker says from now on changes nothing. */
  close(): void {
    this.#isClosed = true
    this.#stopLooking()
  }

  #stopLooking(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
