import type { EventEmitter } from 'node:events'
import inspector from 'node:inspector'
import { setImmediate as turn } from 'node:timers/promises'

/** SIGQUIT is what the official php images are stopped with. */
const ENDING = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const

/** Asks daemons to read their configuration again. `nohup` has it ignored, and Node.js undoes that at its start. */
const HANG_UP = 'SIGHUP'

/** Asks daemons for more of a log. Node.js itself would answer it with a debugger on port 9229, which any local user may ask for the broker's password. */
const TOGGLE = 'SIGUSR1'

/** It would kill, which nobody means who sends it. */
const IGNORED = 'SIGUSR2'

/** Milliseconds. npm and timeout(1) pass on a signal that a terminal or a process group has sent to everybody already. */
const SAME_SIGNAL = 1_000

/** What a command does about signals. */
export interface SignalListener {
  /** The first one that asks for the end. */
  end(signal: NodeJS.Signals): void
  /** Another one, more than a second later: somebody has lost patience. */
  leave(signal: NodeJS.Signals): void
  /** SIGHUP: a terminal is gone, or the configuration is to be read again. */
  hangUp(signal: NodeJS.Signals): void
  /** SIGUSR1: debug lines are wanted, or not any more. */
  toggleDebug(signal: NodeJS.Signals): void
  /** One that changes nothing. */
  ignore(signal: NodeJS.Signals): void
}

interface Received {
  readonly signal: NodeJS.Signals
  /** Milliseconds of a clock that nobody sets. */
  readonly time: number
}

/** Takes the process's signals from its first moment on; those that come before somebody listens are kept. */
export class Signals {
  readonly #early: Received[] = []
  #listener: SignalListener | undefined
  #first: Received | undefined

  /** @param source the process, whose signals take no other way from here on */
  constructor(source: EventEmitter) {
    const receive = (signal: NodeJS.Signals): void => {
      const received = { signal, time: performance.now() }
      if (this.#listener === undefined) this.#early.push(received)
      else this.#tell(this.#listener, received)
    }
    for (const signal of [...ENDING, HANG_UP, TOGGLE, IGNORED]) source.on(signal, receive)
  }

  /** The listener hears at once of what has come before. There is one, for good. */
  listen(listener: SignalListener): void {
    this.#listener = listener
    for (const received of this.#early.splice(0)) this.#tell(listener, received)
  }

  /** Whether the end has been asked for. */
  get ending(): boolean {
    return this.#first !== undefined
  }

  #tell(listener: SignalListener, received: Received): void {
    const { signal, time } = received
    if (signal === HANG_UP) listener.hangUp(signal)
    else if (signal === TOGGLE) listener.toggleDebug(signal)
    else if (!ENDING.some((each) => each === signal)) listener.ignore(signal)
    else if (this.#first === undefined) {
      this.#first = received
      listener.end(signal)
    } else if (time - this.#first.time > SAME_SIGNAL) listener.leave(signal)
  }
}

/** Closes the debugger that a SIGUSR1 has opened before there were listeners: Node.js takes some 60 ms to start. */
export async function closeInspector(): Promise<void> {
  const wanted = [...process.execArgv, process.env['NODE_OPTIONS']].join(' ').includes('--inspect')
  if (wanted) return
  // Node.js hears of the signal twice, the second time in a turn of the event loop, and would open it again.
  await turn()
  if (inspector.url() !== undefined) inspector.close()
}
