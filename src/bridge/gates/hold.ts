import { type BackoffRange, backoff } from '../backoff.ts'
import type { Tell } from '../events.ts'
import type { Met } from '../facts.ts'
import type { Intake } from '../ports.ts'
import { type Answer, type Gate, UNTIL_TOLD } from './gate.ts'

/** What keeps the bridge from executing anything, and what can find out that it is over. */
export interface Obstacle {
  readonly reason: string
  /** `connect`: the pool is away. `delivery`: it is there, and nothing is executed. */
  readonly probe: 'connect' | 'delivery'
  /** Milliseconds before which a worker wants to be left alone. */
  readonly retryAfterMs?: number
  /** Whether it lasts until somebody mends what is wrong. */
  readonly lasting?: boolean
  /** Which message met it, and what its worker, or php-fpm, said of it. */
  readonly met?: Met | undefined
}

type State =
  | { readonly kind: 'open' | 'closed' }
  | {
      readonly kind: 'held'
      readonly since: number
      readonly found: Record<Obstacle['probe'], Obstacle | undefined>
      /** The reason that was told last. */
      told: string
      probes: number
      timer: NodeJS.Timeout
    }
type Held = Extract<State, { kind: 'held' }>

const PROBE_DELAY: BackoffRange = { min: 100, max: 1_000 }
/** Milliseconds: a worker may be mistaken. */
export const LONGEST_WANTED = 600_000

/**
 * Nothing can be executed: one state of the whole bridge, entered and left with one event each. While it lasts nothing is
 * dispatched but a probe, every 50 ms to 1 s, or when a worker has asked for it. It is over when nothing is in the way any more:
 * while the pool is away, that its application does not start is remembered.
 */
export class Hold implements Gate {
  readonly #tell: Tell
  readonly #probe: (obstacle: Obstacle) => Promise<Obstacle | undefined>
  readonly #intake: Intake
  #wake: () => void = () => {}
  #state: State = { kind: 'open' }

  /** @param probe resolves with what is still in the way, or with undefined when that one is not any more */
  constructor(tell: Tell, probe: (obstacle: Obstacle) => Promise<Obstacle | undefined>, intake: Intake) {
    this.#tell = tell
    this.#probe = probe
    this.#intake = intake
  }

  open(wake: () => void): void {
    this.#wake = wake
  }

  admits(): Answer {
    return this.active ? UNTIL_TOLD : 'yes'
  }

  get active(): boolean {
    return this.#state.kind === 'held'
  }

  /** What is in the way, as far as it is known. */
  get obstacle(): Obstacle | undefined {
    return this.#state.kind === 'held' ? nextOf(this.#state) : undefined
  }

  /** When it began, by `performance.now()`. */
  get since(): number | undefined {
    return this.#state.kind === 'held' ? this.#state.since : undefined
  }

  enter(obstacle: Obstacle): void {
    switch (this.#state.kind) {
      case 'closed':
        return
      case 'held':
        // The first of its kind stays; each further one says the same.
        this.#state.found[obstacle.probe] ??= obstacle
        return
      case 'open': {
        const { reason, met, lasting = false } = obstacle
        this.#tell({ kind: 'hold-began', reason, met, lasting })
        const found = { connect: undefined, delivery: undefined, [obstacle.probe]: obstacle }
        const timer = this.#probeIn(delayBefore(1, obstacle))
        this.#state = { kind: 'held', since: performance.now(), found, told: reason, probes: 1, timer }
      }
    }
  }

  /** Nothing is held from now on, without a word. */
  close(): void {
    if (this.#state.kind === 'held') clearTimeout(this.#state.timer)
    this.#state = { kind: 'closed' }
  }

  #probeIn(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => void this.#probeNext(), milliseconds)
  }

  async #probeNext(): Promise<void> {
    const state = this.#state
    if (state.kind !== 'held') return
    const probed = nextOf(state) as Obstacle
    const found = await this.#probe(probed)
    if (this.#state !== state) return
    // A delivery that did not get as far as the pool says nothing of the application.
    if (found?.probe !== 'connect') state.found[probed.probe] = undefined
    if (found !== undefined) state.found[found.probe] = found
    const next = nextOf(state)
    if (next === undefined) this.#leave(state.since)
    else this.#stay(state, probed, next)
  }

  #stay(state: Held, probed: Obstacle, next: Obstacle): void {
    const { reason, met, lasting = false } = next
    if (reason !== state.told) this.#tell({ kind: 'hold-changed', reason, met, lasting })
    state.told = reason
    state.probes += 1
    const poolIsBack = probed.probe === 'connect' && next.probe === 'delivery'
    state.timer = this.#probeIn(delayBefore(poolIsBack ? 0 : state.probes, next))
  }

  #leave(since: number): void {
    this.#state = { kind: 'open' }
    this.#tell({ kind: 'hold-over', heldMs: Math.round(performance.now() - since) })
    this.#intake.resume()
    this.#wake()
  }
}

/** The one to be probed: as long as the pool is away, nothing else can be found out. */
function nextOf({ found: { connect, delivery } }: Held): Obstacle | undefined {
  return connect ?? delivery
}

function delayBefore(probe: number, { retryAfterMs = 0 }: Obstacle): number {
  return Math.max(backoff(probe, PROBE_DELAY), Math.min(retryAfterMs, LONGEST_WANTED))
}
