import type { CopyForm, CopyNotes, CopyPurpose } from './copy-headers.ts'
import type { Delivery } from './ports.ts'

/** A copy of a message on its way to a queue. */
export interface Copy {
  readonly queue: string
  /** Queues that do as well, where that one takes nothing. */
  readonly spare?: readonly string[]
  readonly purpose: CopyPurpose
  readonly notes: CopyNotes
  /** Whether the original is acked already: then the message is nowhere but here. */
  readonly acked: boolean
  /** For log lines about it. */
  readonly fields: Readonly<Record<string, unknown>>
}

/**
 * `left`: nobody needs the copy any more, since the broker hands out the original again; or the daemon gives up. `parked`: the
 * original stays unacked, and is settled when its copy is published at last.
 */
export type Fate = 'published' | 'left' | 'parked'

/** The tries to publish one copy. */
export class Tries {
  readonly delivery: Delivery
  readonly copy: Copy
  /** Resolves when it takes too long to wait for. */
  readonly stuck: Promise<undefined>
  onStuck: () => void = () => {}
  form: CopyForm = { kind: 'whole' }
  /** Connections that have ended while it was on its way. */
  cuts = 0
  /** Why the last one failed. */
  cause = 'no answer yet'
  readonly signal: AbortSignal
  readonly #queues: readonly string[]
  #turn = 0
  readonly #stop = new AbortController()

  constructor(delivery: Delivery, copy: Copy, signal: AbortSignal) {
    this.delivery = delivery
    this.copy = copy
    this.#queues = [copy.queue, ...(copy.spare ?? [])]
    this.signal = AbortSignal.any([signal, this.#stop.signal])
    this.stuck = new Promise((resolve) => {
      this.onStuck = () => resolve(undefined)
    })
  }

  /** Where the copy goes at present. */
  get queue(): string {
    return this.#queues[this.#turn % this.#queues.length] as string
  }

  /** That queue takes nothing. @returns whether there is another one */
  passOver(): boolean {
    this.#turn += 1
    return this.#queues.length > 1
  }

  get needed(): boolean {
    return (this.copy.acked || this.delivery.live) && !this.signal.aborted
  }

  /** There will be no more. */
  stop(): void {
    this.#stop.abort()
  }
}
