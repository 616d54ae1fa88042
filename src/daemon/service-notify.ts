import { NotifySender } from './notify-sender.ts'
import type { ServiceEnvironment } from './service-environment.ts'
import type { ServiceManager, Watched } from './service-manager.ts'

/*
 * Milliseconds. A daemon that waits for a broker or a pool does all it can: it is up after PATIENCE, or systemd would end it after
 * TimeoutStartSec and start it anew, for ever. A reload has the same time.
 */
const PATIENCE = 10_000

/** Milliseconds between two looks at what there is to tell. */
const LOOK = 1_000

/** Of the time that a watchdog allows: one message may be late, or get lost. */
const BEAT = 1 / 3

/** Milliseconds between two messages that tell of new numbers alone: each costs a process. */
const NUMBERS = 10_000

/** Milliseconds between two requests for more time to drain, and for how much more. The daemon itself knows when it has drained for too long. */
const EXTEND = { every: 5_000, by: 30_000 } as const

type State = { readonly kind: 'new' | 'starting' | 'ready' | 'stopping' | 'closed' }

/**
 * Tells a service manager, by sd_notify(3): READY, RELOADING and STOPPING, the state as text, and WATCHDOG as long as the event
 * loop turns.
 *
 * new -> starting -> ready -> stopping -> closed
 */
export class ServiceNotify implements ServiceManager {
  readonly #environment: ServiceEnvironment
  #state: State = { kind: 'new' }
  #sender: NotifySender | undefined
  #watched: Watched | undefined
  #reloads = 0
  #looks: NodeJS.Timeout | undefined
  #patience: NodeJS.Timeout | undefined
  /** When it was last told, by the name of what was told: milliseconds of a clock that nobody sets. */
  readonly #toldAt = new Map<string, number>()
  #told = { state: '', text: '' }

  constructor(environment: ServiceEnvironment) {
    this.#environment = environment
  }

  begin(watched: Watched): void {
    if (this.#state.kind !== 'new') return
    const { watchdog = Number.POSITIVE_INFINITY } = this.#environment
    this.#state = { kind: 'starting' }
    this.#watched = watched
    this.#sender = new NotifySender(this.#environment, watched.log)
    this.#looks = setInterval(() => this.#look(), Math.min(LOOK, watchdog * BEAT)).unref()
    this.#patience = setTimeout(() => this.ready(), PATIENCE).unref()
  }

  ready(): void {
    if (this.#state.kind !== 'starting') return
    clearTimeout(this.#patience)
    this.#state = { kind: 'ready' }
    if (this.#reloads === 0) this.#tell({ READY: '1' })
  }

  /** Type=notify-reload wants to know when it was that RELOADING was said. */
  reload(done: Promise<unknown>): void {
    if (this.#state.kind === 'stopping' || this.#state.kind === 'closed') return
    this.#reloads += 1
    this.#tell({ RELOADING: '1', MONOTONIC_USEC: String(process.hrtime.bigint() / 1_000n) })
    let hasEnded = false
    const end = (): void => {
      if (hasEnded) return
      hasEnded = true
      clearTimeout(patience)
      this.#reloads -= 1
      if (this.#reloads === 0 && this.#state.kind === 'ready') this.#tell({ READY: '1' })
    }
    const patience = setTimeout(end, PATIENCE).unref()
    done.then(end, end)
  }

  stopping(): void {
    if (this.#state.kind === 'stopping' || this.#state.kind === 'closed') return
    clearTimeout(this.#patience)
    this.#state = { kind: 'stopping' }
    this.#tell({ STOPPING: '1', ...this.#extension(performance.now()) })
  }

  async close(): Promise<void> {
    clearInterval(this.#looks)
    clearTimeout(this.#patience)
    this.#state = { kind: 'closed' }
    await this.#sender?.close()
  }

  #look(): void {
    const now = performance.now()
    const due = { ...this.#beat(now), ...this.#extension(now) }
    if (Object.keys(due).length > 0 || this.#hasNews(now)) this.#tell(due)
  }

  /** A state is told with what else there is to tell. */
  #tell(assignments: Readonly<Record<string, string>>): void {
    const { state, text } = this.#status()
    this.#told = { state, text }
    this.#toldAt.set('STATUS', performance.now())
    this.#sender?.send({ ...assignments, STATUS: text })
  }

  #status(): { readonly state: string; readonly text: string } {
    const { state = '', numbers = '' } = this.#watched?.status() ?? {}
    return { state, text: numbers === '' ? `${state}.` : `${state}; ${numbers}.` }
  }

  #hasNews(now: number): boolean {
    const { state, text } = this.#status()
    return state !== this.#told.state || (text !== this.#told.text && this.#isDue('STATUS', NUMBERS, now))
  }

  #beat(now: number): Readonly<Record<string, string>> {
    const { watchdog } = this.#environment
    if (watchdog === undefined || !this.#isDue('WATCHDOG', watchdog * BEAT, now)) return {}
    this.#toldAt.set('WATCHDOG', now)
    return { WATCHDOG: '1' }
  }

  #extension(now: number): Readonly<Record<string, string>> {
    if (this.#state.kind !== 'stopping' || !this.#isDue('EXTEND', EXTEND.every, now)) return {}
    this.#toldAt.set('EXTEND', now)
    return { EXTEND_TIMEOUT_USEC: String(EXTEND.by * 1_000) }
  }

  /** Timers come a little early or late. */
  #isDue(what: string, milliseconds: number, now: number): boolean {
    const toldAt = this.#toldAt.get(what)
    return toldAt === undefined || now - toldAt >= milliseconds * 0.95
  }
}
