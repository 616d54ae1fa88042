import { existsSync, readFileSync } from 'node:fs'

/** One line of worker-php/worker.php's log: a message that a child began to execute. */
export interface Execution {
  readonly number: string
  readonly daemonId: string
}

/**
 * Reads a worker's log, oldest line first; empty when there is no such file yet.
 *
 * @throws when a line is not one of the worker's: the log is then not the whole truth
 */
export function readWorkerLog(path: string): Execution[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const match = /^ \[x\] Processing (.*) from daemon (\S+)$/.exec(line)
      if (match === null) throw new Error(`Not a line of the worker: ${JSON.stringify(line)}`)
      return { number: match[1] as string, daemonId: match[2] as string }
    })
}

/** How many executions there are of each message or of each daemon. */
export function executionsBy(key: keyof Execution, executions: readonly Execution[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const execution of executions) counts.set(execution[key], (counts.get(execution[key]) ?? 0) + 1)
  return counts
}
