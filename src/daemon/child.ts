import { type ChildProcess, fork } from 'node:child_process'
import { CHILD_ID, CHILD_WATCHED } from '../config/child-id.ts'
import type { FromChild, ToChild } from './fleet-messages.ts'

/** How a process ended: one of the two is null; both where it could not be started. */
export interface ChildExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Hears of a process. Nothing is called before `startChild` has returned. */
export interface ChildListener {
  /** Its last words may come after its end. */
  told(message: FromChild): void
  /** Once. */
  ended(exit: ChildExit): void
  /** It has ended, and there are no more words of it. Once. */
  silent?(): void
}

/** The end of the channel that a supervisor has. */
export interface Child {
  /** Undefined where it could not be started. */
  readonly pid: number | undefined
  tell(message: ToChild): void
  signal(signal: NodeJS.Signals): void
}

/** Starts a supervised process, which has this daemon id. */
export type StartChild = (daemonId: string, listener: ChildListener) => Child

/**
 * Starts this very program again, with the same arguments and the same standard output and error. When its parent is gone, however that
 * ended, the channel closes: a child sees it, and nobody has to tell.
 *
 * @param isWatched whether the processes are to say how they are
 */
export function childStarter(environment: NodeJS.ProcessEnv, isWatched = false): StartChild {
  const [, script = '', ...args] = process.argv
  return (daemonId, listener) => {
    const env = { ...environment, [CHILD_ID]: daemonId, ...(isWatched && { [CHILD_WATCHED]: '1' }) }
    const child = tryFork(() => fork(script, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
    let hasEnded = false
    const end = (exit: ChildExit): void => {
      if (hasEnded) return
      hasEnded = true
      listener.ended(exit)
    }
    if (child === undefined) setImmediate(end, { code: null, signal: null })
    child?.on('close', () => listener.silent?.())
    child?.on('message', (message) => listener.told(message as FromChild))
    child?.on('exit', (code, signal) => end({ code, signal }))
    // Of a signal or a message that a process has not got since it has just ended, its exit tells.
    child?.on('error', () => child.pid === undefined && end({ code: null, signal: null }))
    return {
      pid: child?.pid,
      tell(message) {
        if (child?.connected) child.send(message, () => {})
      },
      signal: (signal) => void child?.kill(signal),
    }
  }
}

/** Node.js tells of some reasons why there is no process by an event, and throws others: no memory, for one. */
function tryFork(start: () => ChildProcess): ChildProcess | undefined {
  try {
    return start()
  } catch {
    return undefined
  }
}
