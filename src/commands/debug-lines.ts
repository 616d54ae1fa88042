import type { Logger, LogLevel } from '../observe/logger.ts'

/** Whether a running process writes lines of level debug: from --log-level at first, then as SIGUSR1 changes it. */
export class DebugLines {
  readonly #log: Logger
  #on: boolean

  constructor(log: Logger, level: LogLevel) {
    this.#log = log
    this.#on = level === 'debug'
  }

  /** @returns whether they are written from now on */
  toggle(): boolean {
    this.show(!this.#on)
    return this.#on
  }

  show(on: boolean): void {
    if (on === this.#on) return
    this.#on = on
    if (!on) this.#log.info('No more lines of level debug.')
    this.#log.showDebug(on)
    if (on) this.#log.info('From now on with lines of level debug; SIGUSR1 ends them.')
  }
}
