import type { Signals } from '../../command-line/signals.ts'
import type { FleetFollower } from '../../operate/fleet-view/follower.ts'
import { type FleetAction, type FleetSource, FleetUnseen } from '../../operate/fleet-view/source.ts'
import type { Key } from './keys.ts'
import { pageOf, picture } from './picture.ts'
import { Screen } from './screen.ts'
import { press, type TopState } from './view-state.ts'

/** Milliseconds from one look to the next: each costs every daemon an answer. */
const INTERVAL = 2_000
/** Milliseconds for which a notice stands. */
const NOTICE = 8_000

interface Told {
  readonly kind: FleetAction
  readonly queue: string
}

/** One picture after the other, until somebody has seen enough. */
export class Live {
  readonly #source: FleetSource
  readonly #follower: FleetFollower
  readonly #screen: Screen
  #state: TopState
  #noticeUntil = 0
  /** What is to be told before the next look. */
  #told: Told | undefined
  #wake: () => void = () => {}
  #end: () => void = () => {}
  readonly #over: Promise<void>
  #isOver = false

  /** @param styled as the screen has it */
  constructor(source: FleetSource, follower: FleetFollower, first: TopState, styled: boolean) {
    this.#source = source
    this.#follower = follower
    this.#state = first
    this.#over = new Promise((resolve) => {
      this.#end = () => {
        this.#isOver = true
        this.#wake()
        resolve()
      }
    })
    this.#screen = new Screen(process.stdin, process.stdout, styled, {
      press: (key) => this.#press(key),
      redraw: () => this.#draw(),
      end: () => this.#end(),
    })
  }

  /** Resolves when somebody has quit, or a signal has come. */
  async run(signals: Signals): Promise<void> {
    signals.listen({
      end: () => this.#end(),
      leave: () => this.#end(),
      // The terminal is gone.
      hangUp: () => this.#end(),
      toggleDebug: () => {},
      ignore: () => {},
    })
    try {
      this.#screen.open()
      // Whoever quits does not wait for the broker.
      while (!this.#isOver) await Promise.race([this.#turn(), this.#over])
    } finally {
      this.#screen.close()
    }
  }

  async #turn(): Promise<void> {
    const next = performance.now() + INTERVAL
    const told = this.#told
    this.#told = undefined
    if (told !== undefined) await this.#tell(told)
    else if (performance.now() > this.#noticeUntil) this.#change({ notice: undefined })
    try {
      const sight = this.#follower.take(await this.#source.look(), performance.now(), Date.now())
      this.#change({ sight, trouble: undefined })
    } catch (error) {
      if (!(error instanceof FleetUnseen)) throw error
      this.#change({ trouble: error.message })
    }
    await this.#untilNext(next)
  }

  /** Why it could not be told is a notice, too: the next look may be as good as ever. */
  async #tell({ kind, queue }: Told): Promise<void> {
    try {
      this.#note(await this.#source.act?.(kind, queue))
    } catch (error) {
      if (!(error instanceof FleetUnseen)) throw error
      this.#note(error.message)
    }
  }

  #note(notice: string | undefined): void {
    this.#noticeUntil = performance.now() + NOTICE
    this.#change({ notice })
  }

  async #untilNext(time: number): Promise<void> {
    if (this.#told !== undefined || this.#isOver) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, time - performance.now()))
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #press(key: Key): void {
    const [state, wish] = press(this.#state, key, pageOf(this.#state, this.#screen.size))
    this.#state = state
    this.#noticeUntil = performance.now() + NOTICE
    switch (wish.kind) {
      case 'nothing':
        break
      case 'quit':
        this.#end()
        return
      case 'suspend':
        this.#screen.suspend()
        return
      default:
        this.#told = wish
        this.#state = { ...state, notice: `${wish.kind === 'pause' ? 'Pausing' : 'Resuming'} ...` }
        this.#wake()
    }
    this.#draw()
  }

  #change(change: Partial<TopState>): void {
    this.#state = { ...this.#state, ...change }
    this.#draw()
  }

  #draw(): void {
    if (!this.#isOver) this.#screen.show(picture(this.#state, this.#screen.size))
  }
}
