import { readdirSync, readFileSync } from 'node:fs'

/** The processes that this one has forked and that still run; none of one that does not run itself. */
export function childrenOf(parent: number | undefined): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && statOf(Number(name))?.parent === parent)
    .map(Number)
}

/** Sends a signal to each of them that still runs. */
export function signalChildren(parent: number | undefined, signal: NodeJS.Signals): void {
  for (const child of childrenOf(parent)) {
    try {
      process.kill(child, signal)
    } catch {
      // It has ended since.
    }
  }
}

/** Whether a process sleeps, as a child of php-fpm does that has answered and waits for the next request. */
export const isAsleep = (pid: number): boolean => statOf(pid)?.state === 'S'

/** Bytes that a process has written so far, to files and sockets. */
export function bytesWritten(pid: number): number {
  return Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
}

/** proc(5): "pid (comm) state ppid ...". Undefined when it has ended. */
function statOf(pid: number): { state: string; parent: number } | undefined {
  try {
    const [state = '', parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { state, parent: Number(parent) }
  } catch {
    return undefined
  }
}
