import { pause } from '../bridge/backoff.ts'
import type { Log } from '../observe/logger.ts'
import type { ServiceStatus } from '../observe/service-status.ts'
import type { ChildExit, StartChild } from './child.ts'
import { ReliefPace } from './relief-pace.ts'
import { Slot } from './slot.ts'

/** sysexits */
const EXIT = { done: 0, incomplete: 75, usage: 64, configuration: 78 } as const

/** Milliseconds that the first process has to show whether the configuration is right, before the others start. */
const TRIAL = 5_000

/** Milliseconds beyond the drain timeout, in which a process says its last words. */
const GRACE = 3_000

/** Milliseconds that a process has for its reload until the next one begins: without a broker it takes for ever. */
const PATIENCE = 30_000

/** With these we end processes. One that had not got to listen to them yet had nothing to lose. */
const OURS: readonly (NodeJS.Signals | null)[] = ['SIGTERM', 'SIGINT', 'SIGQUIT']

export interface SupervisorOptions {
  /** The daemon ids, one for each process. */
  readonly ids: readonly string[]
  readonly start: StartChild
  readonly log: Log
  /** Milliseconds, as the configuration says it now. */
  drainTimeout(): number
  /** All consume; may be told more than once. */
  allConsume?(): void
  /** The end has begun, whatever the reason. */
  ending?(): void
}

type State =
  | { readonly kind: 'running' }
  | { readonly kind: 'ending'; exitCode: number }
  | { readonly kind: 'ended' }

/**
 * Keeps N processes running until it is told to end. It has no part in their work: they consume while it is gone, and then drain.
 *
 * running -> ending -> ended
 */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #slots: readonly Slot[]
  #state: State = { kind: 'running' }
  #hasConsumed = false
  #haveAllBegun = false
  #trial: NodeJS.Timeout | undefined
  #deadline: NodeJS.Timeout | undefined
  #onEnd: (exitCode: number) => void = () => {}

  constructor(options: SupervisorOptions) {
    this.#options = options
    const parts = {
      start: options.start,
      log: options.log,
      pace: new ReliefPace(),
      consumes: () => this.#consumes(),
      judge: (exit: ChildExit) => this.#judge(exit),
      ended: () => this.#endIfDone(),
    }
    this.#slots = options.ids.map((id) => new Slot(id, parts))
  }

  /**
   * Starts the processes, the first one before the others: what is wrong with the configuration should be said once.
   *
   * @returns the exit code, when the last of them has ended: 0 drained, 75 not everything was settled, 64 or 78 the configuration is wrong
   */
  run(): Promise<number> {
    const { ids, log } = this.#options
    log.info('Starting a fleet.', { pid: process.pid, instances: ids.length })
    return new Promise((resolve) => {
      this.#onEnd = resolve
      this.#trial = setTimeout(() => this.#beginOthers(), TRIAL)
      this.#slots[0]?.begin()
    })
  }

  /** Has all processes drain. The time for it counts from now on, for all of them. */
  drain(signal: NodeJS.Signals): void {
    if (this.#state.kind !== 'running') return
    this.#options.log.info('Draining the fleet.', { signal, processes: this.#living })
    this.#endAll(signal, EXIT.done, this.#options.drainTimeout() + GRACE)
    this.#endIfDone()
  }

  /** Has them leave at once. */
  leave(signal: NodeJS.Signals): void {
    if (this.#state.kind !== 'ending') return
    this.#options.log.error('Second signal: leaving at once.', { signal })
    for (const slot of this.#slots) slot.signal(signal)
    this.#killWithin(GRACE)
  }

  /**
   * Has one process after the other read the configuration again; each goes on consuming meanwhile. Resolves when all have, or have
   * said why not.
   */
  async reload(): Promise<void> {
    for (const slot of this.#slots) {
      if (this.#state.kind !== 'running') return
      const patience = new AbortController()
      await Promise.race([slot.reload(), pause(PATIENCE, patience.signal)])
      patience.abort()
    }
  }

  /** Has all processes, and those to come, write lines of level debug, or not. */
  showDebug(on: boolean): void {
    for (const slot of this.#slots) slot.showDebug(on)
  }

  get status(): ServiceStatus {
    if (this.#state.kind !== 'running')
      return { state: 'Draining the fleet', numbers: `${this.#living} left` }
    const busy = this.#slots.filter(({ consumes }) => consumes).length
    return { state: `${busy} of ${this.#slots.length} processes consume`, numbers: '' }
  }

  get #living(): number {
    return this.#slots.reduce((sum, { living }) => sum + living, 0)
  }

  #consumes(): void {
    this.#hasConsumed = true
    this.#beginOthers()
    if (this.#slots.every(({ consumes }) => consumes)) this.#options.allConsume?.()
  }

  #beginOthers(): void {
    clearTimeout(this.#trial)
    if (this.#haveAllBegun || this.#state.kind !== 'running') return
    this.#haveAllBegun = true
    for (const slot of this.#slots.slice(1)) slot.begin()
  }

  #judge({ code, signal }: ChildExit): void {
    const isWrong = code === EXIT.usage || code === EXIT.configuration
    if (this.#state.kind === 'running' && isWrong && !this.#hasConsumed) {
      const { log } = this.#options
      log.error('The fleet does not start: its configuration is wrong, as a process says above.', { code })
      this.#endAll('SIGTERM', code, GRACE)
    }
    if (this.#state.kind !== 'ending') return
    const wasInOrder = code === 0 || OURS.includes(signal) || isWrong
    if (!wasInOrder && this.#state.exitCode === EXIT.done) this.#state.exitCode = EXIT.incomplete
  }

  #endAll(signal: NodeJS.Signals, exitCode: number, within: number): void {
    this.#state = { kind: 'ending', exitCode }
    this.#options.ending?.()
    clearTimeout(this.#trial)
    for (const slot of this.#slots) {
      slot.close()
      slot.signal(signal)
    }
    this.#killWithin(within)
  }

  #killWithin(milliseconds: number): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => {
      this.#options.log.error('Killing what does not end: what is unacked will be delivered again.', {
        processes: this.#living,
      })
      for (const slot of this.#slots) slot.signal('SIGKILL')
    }, milliseconds)
  }

  #endIfDone(): void {
    if (this.#state.kind !== 'ending' || this.#living > 0) return
    const { exitCode } = this.#state
    this.#state = { kind: 'ended' }
    clearTimeout(this.#deadline)
    if (exitCode === EXIT.done) this.#options.log.info('The fleet has stopped.')
    else this.#options.log.error('The fleet has stopped, and not in order.', { exit_code: exitCode })
    this.#onEnd(exitCode)
  }
}
