import { type BackoffRange, backoff } from './backoff.ts'
import type { Log } from './ports.ts'

type State =
  | { readonly kind: 'none' }
  | { readonly kind: 'held'; readonly since: number; reason: string; probes: number; timer: NodeJS.Timeout }

const PROBE_DELAY: BackoffRange = { min: 100, max: 1_000 }

/**
 * The pool cannot be reached: one state of the whole daemon, entered and left with one log line each. While it
 * lasts nothing is dispatched, and the pool is probed every 50 ms to 1 s.
 */
export class Hold {
  readonly #log: Log
  readonly #probe: () => Promise<void>
  readonly #onLeave: () => void
  #state: State = { kind: 'none' }

  /** @param probe rejects for as long as the pool cannot be reached */
  constructor(log: Log, probe: () => Promise<void>, onLeave: () => void) {
    this.#log = log
    this.#probe = probe
    this.#onLeave = onLeave
  }

  get active(): boolean {
    return this.#state.kind === 'held'
  }

  enter(reason: string): void {
    if (this.#state.kind === 'held') return
    this.#log.warn('Holding: the pool cannot be reached. Messages are kept and wait; none is lost.', {
      reason,
    })
    this.#state = { kind: 'held', since: performance.now(), reason, probes: 1, timer: this.#schedule(1) }
  }

  /** Stops probing, without a word. */
  close(): void {
    if (this.#state.kind === 'held') clearTimeout(this.#state.timer)
    this.#state = { kind: 'none' }
  }

  #schedule(probes: number): NodeJS.Timeout {
    return setTimeout(
      () => {
        this.#probe().then(
          () => this.#leave(),
          (error: Error) => this.#stay(error.message),
        )
      },
      backoff(probes, PROBE_DELAY),
    )
  }

  #stay(reason: string): void {
    if (this.#state.kind === 'none') return
    if (reason !== this.#state.reason) this.#log.warn('Still holding, for another reason.', { reason })
    this.#state.reason = reason
    this.#state.probes += 1
    this.#state.timer = this.#schedule(this.#state.probes)
  }

  #leave(): void {
    if (this.#state.kind === 'none') return
    const heldMs = Math.round(performance.now() - this.#state.since)
    this.#state = { kind: 'none' }
    this.#log.info('The pool can be reached again; dispatching.', { heldMs })
    this.#onLeave()
  }
}
