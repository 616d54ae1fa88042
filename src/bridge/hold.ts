import { type BackoffRange, backoff } from './backoff.ts'
import type { Log } from './ports.ts'

/** What keeps the daemon from executing anything, and what can find out that it is over. */
export interface Obstacle {
  readonly reason: string
  readonly probe: 'connect' | 'delivery'
  /** Milliseconds before which a worker wants to be left alone. */
  readonly retryAfterMs?: number
  /** Fields for the log: which message met it, and what its worker, or php-fpm, said of it on stderr. */
  readonly met?: Readonly<Record<string, unknown>> | undefined
}

type State =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'held'
      readonly since: number
      obstacle: Obstacle
      probes: number
      timer: NodeJS.Timeout
    }

const PROBE_DELAY: BackoffRange = { min: 100, max: 1_000 }
/** Milliseconds: a worker may be mistaken. */
const LONGEST_WANTED = 600_000

/**
 * Nothing can be executed: one state of the whole daemon, entered and left with one log line each. While it
 * lasts nothing is dispatched but a probe, every 50 ms to 1 s, or when a worker has asked for it.
 */
export class Hold {
  readonly #log: Log
  readonly #probe: (obstacle: Obstacle) => Promise<Obstacle | undefined>
  readonly #onLeave: () => void
  #state: State = { kind: 'none' }

  /** @param probe resolves with what is still in the way, or with undefined when nothing is */
  constructor(log: Log, probe: (obstacle: Obstacle) => Promise<Obstacle | undefined>, onLeave: () => void) {
    this.#log = log
    this.#probe = probe
    this.#onLeave = onLeave
  }

  get active(): boolean {
    return this.#state.kind === 'held'
  }

  /** What is in the way, as far as it is known. */
  get obstacle(): Obstacle | undefined {
    return this.#state.kind === 'held' ? this.#state.obstacle : undefined
  }

  enter(obstacle: Obstacle): void {
    if (this.#state.kind === 'held') return
    this.#log.warn('Holding: nothing can be executed. Messages are kept and wait.', fieldsOf(obstacle))
    const timer = this.#schedule(1, obstacle)
    this.#state = { kind: 'held', since: performance.now(), obstacle, probes: 1, timer }
  }

  /** Stops probing, without a word. */
  close(): void {
    if (this.#state.kind === 'held') clearTimeout(this.#state.timer)
    this.#state = { kind: 'none' }
  }

  #schedule(probes: number, { retryAfterMs = 0 }: Obstacle): NodeJS.Timeout {
    const delay = Math.max(backoff(probes, PROBE_DELAY), Math.min(retryAfterMs, LONGEST_WANTED))
    return setTimeout(() => void this.#look(), delay)
  }

  async #look(): Promise<void> {
    const state = this.#state
    if (state.kind === 'none') return
    const obstacle = await this.#probe(state.obstacle)
    if (this.#state !== state) return
    if (obstacle === undefined) this.#leave(state.since)
    else this.#stay(state, obstacle)
  }

  #stay(state: Extract<State, { kind: 'held' }>, obstacle: Obstacle): void {
    if (obstacle.reason !== state.obstacle.reason)
      this.#log.warn('Still holding, for another reason.', fieldsOf(obstacle))
    state.obstacle = obstacle
    state.probes += 1
    state.timer = this.#schedule(state.probes, obstacle)
  }

  #leave(since: number): void {
    this.#state = { kind: 'none' }
    this.#log.info('The hold is over; dispatching.', { heldMs: Math.round(performance.now() - since) })
    this.#onLeave()
  }
}

function fieldsOf({ reason, met }: Obstacle): Readonly<Record<string, unknown>> {
  return { ...met, reason }
}
