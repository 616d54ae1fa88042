import type { CopyForm, CopyNotes } from './copy-headers.ts'
import type { Execution } from './execution.ts'
import type { Copied } from './facts.ts'
import type { Delivery } from './ports.ts'

/** A copy of a message on its way to a queue. */
export interface Copy {
  readonly execution: Execution
  /** What it is made for. */
  readonly made: Copied
  readonly queue: string
  /** Queues that do as well, where that one takes nothing. */
  readonly spare: readonly string[]
  readonly notes: CopyNotes
}

/**
 * `left`: nobody needs the copy any more, since the broker hands out the original again; or the daemon gives up. `parked`: the
 * original stays unacked, and is settled when its copy is published at last.
 */
export type Fate = 'published' | 'left' | 'parked'

/** The tries to publish one copy. */
export class Tries {
  /** The one that the execution had when they began. */
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
  /** Whether there will be no more. */
  over = false
  readonly signal: AbortSignal
  readonly #queues: readonly string[]
  #turn = 0
  readonly #stop = new AbortController()

  constructor(copy: Copy, signal: AbortSignal) {
    this.delivery = copy.execution.delivery
    this.copy = copy
    this.#queues = [copy.queue, ...copy.spare]
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
    return this.copy.execution.settleable && !this.signal.aborted
  }

  /** Whether other tries have taken their place, with a delivery that came later. */
  get superseded(): boolean {
    return this.delivery !== this.copy.execution.delivery
  }

  /** There will be no more. */
  stop(): void {
    this.#stop.abort()
  }
}
