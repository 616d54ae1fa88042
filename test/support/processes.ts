import { readdirSync, readFileSync } from 'node:fs'

/** The processes that this one has started and that have not ended; none of one that does not run itself. */
export function childrenOf(parent: number | undefined): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const found = statOf(pid)
      return found?.parent === parent && hasNotEnded(found)
    })
}

/** Whether there is such a process, which has not ended. */
export const isAlive = (pid: number): boolean => hasNotEnded(statOf(pid))

/** Whether a process sleeps, as a child of php-fpm does that has answered and waits for the next request. */
export const isAsleep = (pid: number): boolean => statOf(pid)?.state === 'S'

/** @returns whether it was still there: between a look at the processes and a signal to one of them it may end */
export function signalIfThere(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** Sends a signal to each of them that is still there. */
export function signalChildren(parent: number | undefined, signal: NodeJS.Signals): void {
  for (const child of childrenOf(parent)) signalIfThere(child, signal)
}

/** Bytes that a process has written so far, to files and sockets. */
export function bytesWritten(pid: number): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
}

interface Stat {
  readonly state: string
  readonly parent: number
}

const hasNotEnded = (stat: Stat | undefined): stat is Stat => stat !== undefined && !'ZX'.includes(stat.state)

/** proc(5): "pid (comm) state ppid ...", where comm may itself hold spaces and parentheses. Undefined: it is gone. */
function statOf(pid: number): Stat | undefined {
  try {
    const [state = '', parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { state, parent: Number(parent) }
  } catch {
    return undefined
  }
}
