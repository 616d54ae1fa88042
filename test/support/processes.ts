import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'

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

/** Whether a signal has stopped it, and none has let it go on. */
export const isStopped = (pid: number): boolean => statOf(pid)?.state === 'T'

/** Whether it has been sent a signal that it has not taken yet. */
export function isPending(pid: number, signal: NodeJS.Signals): boolean {
  // A mask in hexadecimal, in which signal 1 is the lowest bit (proc(5)).
  const masks = textOf(pid, 'status').matchAll(/^(?:SigPnd|ShdPnd):\s+([0-9a-f]+)$/gm)
  return [...masks].some(
    ([, mask]) => ((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n,
  )
}

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

/** Bytes that a process has written so far, to files and sockets; undefined: it is gone. */
export const bytesWritten = (pid: number): number | undefined => ioOf(pid, 'wchar')

/** The same of what it has read. */
export const bytesRead = (pid: number): number | undefined => ioOf(pid, 'rchar')

/** proc(5). */
function ioOf(pid: number, field: 'wchar' | 'rchar'): number | undefined {
  const bytes = new RegExp(`^${field}: (\\d+)$`, 'm').exec(textOf(pid, 'io'))?.[1]
  return bytes === undefined ? undefined : Number(bytes)
}

interface Stat {
  readonly state: string
  readonly parent: number
}

const hasNotEnded = (stat: Stat | undefined): stat is Stat => stat !== undefined && !'ZX'.includes(stat.state)

/** proc(5): "pid (comm) state ppid ...", where comm may itself hold spaces and parentheses. Undefined: it is gone. */
function statOf(pid: number): Stat | undefined {
  const [state = '', parent] = textOf(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ')
  return state === '' ? undefined : { state, parent: Number(parent) }
}

/** What /proc has of it; nothing, when it is gone. */
function textOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}
