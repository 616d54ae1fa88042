import type { Log } from '../observe/logger.ts'
import type { Child, ChildExit, StartChild } from './child.ts'
import type { FromChild, ToChild } from './fleet-messages.ts'
import type { ReliefPace } from './relief-pace.ts'
import { restAfter, type SlotEvent, type SlotState, type Step, step } from './slot-states.ts'

/** What the slots of a fleet have in common. */
export interface FleetParts {
  readonly start: StartChild
  readonly pace: ReliefPace
  readonly log: Log
  /** One consumes. */
  consumes(): void
  /** One has ended: this may close the slots before they replace it. */
  judge(exit: ChildExit): void
  /** One has ended, and its slot has seen to it. */
  ended(exit: ChildExit): void
}

interface Living {
  readonly child: Child
  readonly startedAt: number
}

const CLOSED: SlotState = { kind: 'closed' }

/** Does what the states of a slot ask for. There may be several processes: the one that works, its successor, and some that retire. */
export class Slot {
  readonly #id: string
  readonly #parts: FleetParts
  readonly #living = new Map<number, Living>()
  #state: SlotState = { kind: 'resting', failures: 0 }
  #timer: NodeJS.Timeout | undefined
  /** Processes that are to say that they have reloaded. */
  readonly #reloading = new Map<number, () => void>()
  #count = 0
  /** Once somebody has asked for it. */
  #debug: ToChild | undefined
  /** How the last one ended, as far as the log has said it. */
  #said = ''

  /** @param id the daemon id of its processes */
  constructor(id: string, parts: FleetParts) {
    this.#id = id
    this.#parts = parts
  }

  /** How many processes there are. */
  get living(): number {
    return this.#living.size
  }

  /** Whether one of them consumes, as far as it has said. */
  get consumes(): boolean {
    return this.#state.kind === 'working' || this.#state.kind === 'relieving'
  }

  begin(): void {
    this.#meet({ kind: 'rested' })
  }

  /** Starts no more. */
  close(): void {
    clearTimeout(this.#timer)
    this.#state = CLOSED
  }

  /** Of its processes, and of those to come. */
  showDebug(on: boolean): void {
    this.#debug = { kind: on ? 'show-debug' : 'hide-debug' }
    for (const { child } of this.#living.values()) child.tell(this.#debug)
  }

  signal(signal: NodeJS.Signals): void {
    for (const { child } of this.#living.values()) child.signal(signal)
  }

  /**
   * Has the process that works, or is about to, read the configuration again, and its successor, which may have read it before it was
   * changed. Resolves when they have, or have ended.
   */
  async reload(): Promise<void> {
    const state = this.#state
    const numbers = ['child' in state && state.child, 'successor' in state && state.successor]
    await Promise.all(
      numbers.map((number) => {
        if (typeof number !== 'number' || !this.#living.has(number)) return undefined
        const reloaded = new Promise<void>((resolve) => this.#reloading.set(number, resolve))
        this.#tell(number, { kind: 'reload' })
        return reloaded
      }),
    )
  }

  #meet(event: SlotEvent): void {
    const next = step(this.#state, event, { now: performance.now(), fresh: this.#count + 1 })
    if (next !== undefined) this.#take(next)
  }

  #take({ state, start, rest, retire }: Step): void {
    this.#state = state
    if (retire !== undefined) this.#tell(retire, { kind: 'retire' })
    if (start !== undefined) this.#start(start)
    if (rest !== undefined) {
      const milliseconds = rest === 'turn' ? this.#parts.pace.take(performance.now()) : rest
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#meet({ kind: 'rested' }), milliseconds)
    }
  }

  #start(number: number): void {
    clearTimeout(this.#timer)
    this.#count = number
    const child = this.#parts.start(this.#id, {
      told: (message) => this.#hear(number, message),
      ended: (exit) => this.#end(number, exit),
    })
    this.#living.set(number, { child, startedAt: performance.now() })
    if (this.#debug !== undefined) child.tell(this.#debug)
    this.#parts.log.debug('Started a process.', { process: this.#id, child_pid: child.pid })
  }

  #tell(number: number, message: ToChild): void {
    this.#living.get(number)?.child.tell(message)
  }

  #hear(number: number, message: FromChild): void {
    const { log, pace } = this.#parts
    const living = this.#living.get(number)
    // Its last words may come after its end.
    if (living === undefined) return
    const { child, startedAt } = living
    const fields = { process: this.#id, child_pid: child.pid }
    switch (message.kind) {
      case 'consumes':
        pace.started(performance.now() - startedAt)
        if (this.#said !== '') log.info('A process of the fleet consumes again.', fields)
        this.#said = ''
        this.#meet({ kind: 'consumes', child: number })
        this.#parts.consumes()
        break
      case 'tired':
        log.info('A process has done its share; its successor starts.', { ...fields, reason: message.reason })
        this.#meet({ kind: 'tired', child: number })
        break
      case 'reloaded':
        this.#hasReloaded(number)
        break
      case 'report':
      case 'record':
        // Who wants to see that has heard it before (FleetWatch).
        break
    }
  }

  #end(number: number, exit: ChildExit): void {
    const { child } = this.#living.get(number) as Living
    this.#living.delete(number)
    this.#hasReloaded(number)
    this.#parts.judge(exit)
    const before = this.#state
    this.#meet({ kind: 'ended', child: number })
    this.#say(child, exit, this.#state !== before)
    this.#parts.ended(exit)
  }

  #hasReloaded(number: number): void {
    this.#reloading.get(number)?.()
    this.#reloading.delete(number)
  }

  /** Each end is a line, but in a loop only one that differs from the one before. */
  #say(child: Child, exit: ChildExit, isReplaced: boolean): void {
    const { log } = this.#parts
    const fields = { process: this.#id, child_pid: child.pid, ...exit }
    if (!isReplaced) {
      const wasFine = exit.code === 0
      log[wasFine ? 'info' : 'warn']('A process of the fleet has ended.', fields)
      return
    }
    const failures = 'failures' in this.#state ? this.#state.failures : 0
    const inLoop = restAfter(failures) > 0
    const kind = `${exit.code} ${exit.signal} ${Math.min(failures, LONGEST_REST)}`
    const level = kind === this.#said && inLoop ? 'debug' : 'warn'
    this.#said = kind
    log[level](
      inLoop
        ? 'A process of the fleet ends again and again; another one starts after a pause.'
        : 'A process of the fleet has ended; another one takes its place.',
      { ...fields, ...(inLoop && { failures }) },
    )
  }
}

/** Failures in a row after which the rest gets no longer. */
const LONGEST_REST = 6
