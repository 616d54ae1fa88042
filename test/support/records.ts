import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** One execution, as test/support/php/record.php wrote it down. */
export interface ExecutionRecord {
  readonly post: Readonly<Record<string, unknown>>
  readonly params: Readonly<Record<string, string>>
  /** Bytes of the body as PHP received it. */
  readonly length: number
  readonly sha256: string
  /** Unix seconds. */
  readonly started: number
  readonly ended: number
}

export const recordScript = fileURLToPath(new URL('php/record.php', import.meta.url))

/**
 * The executions of a queue's messages so far, in the order of their ends.
 *
 * @param workerLog of the pool that executed them: the records lie beside it
 */
export function readRecords(workerLog: string, queue: string): ExecutionRecord[] {
  const path = `${workerLog}.${queue}`
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  // The last line may be on its way.
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ExecutionRecord)
}

/** The most executions that ran at one moment. */
export function mostAtOnce(records: readonly ExecutionRecord[]): number {
  const edges = records.flatMap(({ started, ended }) => [
    { at: started, change: 1 },
    { at: ended, change: -1 },
  ])
  let running = 0
  let most = 0
  for (const { change } of edges.sort((a, b) => a.at - b.at || a.change - b.change)) {
    running += change
    most = Math.max(most, running)
  }
  return most
}
