import { readdirSync, readFileSync } from 'node:fs'

/** The processes that this one has started and that have not ended. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => {
      const [state, parent] = statOf(each)
      return Number(parent) === pid && state !== 'Z' && state !== 'X'
    })
}

/** Whether there is such a process, which has not ended. */
export function isAlive(pid: number): boolean {
  const [state] = statOf(pid)
  return state !== undefined && state !== 'Z' && state !== 'X'
}

/** proc(5): "pid (comm) state ppid ...", where comm may itself hold spaces and parentheses. */
function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
  } catch {
    return [] // ended since
  }
}
