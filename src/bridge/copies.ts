import { type BackoffRange, backoff, pause, unlessAborted } from './backoff.ts'
import { type CopyForm, type CopyNotes, type CopyPurpose, copyOf } from './copy-headers.ts'
import type { BridgeConfig, Delivery, Log, Publisher } from './ports.ts'

const PUBLISH_DELAY: BackoffRange = { min: 200, max: 10_000 }

/** A copy of a message on its way to a queue. */
export interface Copy {
  readonly queue: string
  readonly purpose: CopyPurpose
  readonly notes: CopyNotes
  /** False once nobody needs it: the broker hands out the original again. */
  readonly needed: () => boolean
  /** For log lines about it. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Publishes copies of messages, each for as long as it takes. */
export class Copies {
  readonly #config: BridgeConfig
  readonly #publisher: Publisher
  readonly #signal: AbortSignal
  readonly #log: Log

  /** @param signal aborted when the daemon gives up */
  constructor(config: BridgeConfig, publisher: Publisher, signal: AbortSignal, log: Log) {
    this.#config = config
    this.#publisher = publisher
    this.#signal = signal
    this.#log = log
  }

  /**
   * Repeats until it succeeds.
   *
   * @returns false when the copy was not needed any more, or the daemon gives up
   */
  async publish(delivery: Delivery, { queue, purpose, notes, needed, fields }: Copy): Promise<boolean> {
    let form: CopyForm = { kind: 'whole' }
    let alone = false
    let reported: string | undefined
    for (let attempt = 1; needed() && !this.#signal.aborted; attempt += 1) {
      const content = copyOf(delivery, purpose, notes, this.#config, form)
      try {
        const published = this.#publisher.publish({ queue, ...content, body: delivery.body }, alone)
        await unlessAborted(published, this.#signal)
        return true
      } catch (error) {
        if (this.#signal.aborted) break
        const smaller = smallerForm(form, error)
        if (smaller !== undefined) {
          form = smaller
          if (form.kind === 'cut' || form.kind === 'bare')
            this.#log.warn('The copy goes without all headers of the message.', {
              ...fields,
              cause: String(error),
            })
          continue
        }
        const cause = String(error)
        alone ||= codeOf(error) === 'SUSPECTED'
        this.#log[cause === reported ? 'debug' : 'error'](
          'Cannot publish the copy of a message; repeated until it succeeds.',
          {
            ...fields,
            copyTo: queue,
            cause,
            publishAttempt: attempt,
          },
        )
        reported = cause
        await pause(backoff(attempt, PUBLISH_DELAY), this.#signal)
      }
    }
    return false
  }
}

/** @returns in what form the copy may be taken after this error; undefined when that is not what is wrong with it */
function smallerForm(form: CopyForm, error: unknown): CopyForm | undefined {
  if (form.kind === 'bare') return undefined
  switch (codeOf(error)) {
    case 'HEADERS_TOO_LARGE':
      if (form.kind === 'whole') return { kind: 'brief' }
      return form.kind === 'brief' ? { kind: 'cut', by: excessOf(error) } : { kind: 'bare' }
    case 'INVALID_MESSAGE':
    case 'MESSAGE_REFUSED':
      return { kind: 'bare' }
    default:
      return undefined
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function excessOf(error: unknown): number {
  return error instanceof Error && 'excess' in error ? Number(error.excess) : 0
}
