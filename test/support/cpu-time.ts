import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds of a clock tick of /proc (USER_HZ). */
const TICK = 10

interface Times {
  readonly parent: number
  readonly milliseconds: number
}

/** @returns milliseconds of CPU that all processes have taken which descend from this one and live, itself left out */
export function cpuOfDescendants(): number {
  const all = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid): [number, Times][] => {
        const times = timesOf(pid)
        return times === undefined ? [] : [[Number(pid), times]]
      }),
  )
  const descends = (pid: number): boolean => {
    const parent = all.get(pid)?.parent ?? 0
    return parent === process.pid || (parent > 1 && descends(parent))
  }
  return [...all].reduce((sum, [pid, { milliseconds }]) => sum + (descends(pid) ? milliseconds : 0), 0)
}

/** proc(5): behind the name, which may have spaces, are state, parent, ... and from the twelfth on user and system time. */
function timesOf(pid: string): Times | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(fields[1]), milliseconds: (Number(fields[11]) + Number(fields[12])) * TICK }
  } catch {
    // It has just ended.
    return undefined
  }
}
