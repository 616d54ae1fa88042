import { readdirSync, readlinkSync } from 'node:fs'

/** Runs `task` for 1 to `count`, `concurrency` of them at a time. Resolves with what they gave, in order. */
export async function load<T>(
  count: number,
  concurrency: number,
  task: (n: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = []
  let next = 1
  const slot = async () => {
    for (let n = next; n <= count; n = next) {
      next += 1
      results[n - 1] = await task(n)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, slot))
  return results
}

/** The sockets that this process has open. */
export function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    } catch {
      return false // closed since the folder was read
    }
  }).length
}
