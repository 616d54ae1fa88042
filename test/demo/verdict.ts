import { type Execution, executionsBy } from '../support/worker-log.ts'

/** What is known when all is over. */
export interface Ending {
  /** The number of messages of each caller, who numbers them from 1. */
  readonly callers: readonly number[]
  readonly executions: readonly Execution[]
  readonly daemonIds: readonly string[]
  /** As `rabbitmqctl list_queues name messages_ready messages_unacknowledged` prints them. */
  readonly queueLines: readonly string[]
}

/** The ending in a few lines, as it is. */
export function summarize({ executions, daemonIds, queueLines }: Ending): string[] {
  const byDaemon = executionsBy('daemonId', executions)
  const byNumber = executionsBy('number', executions)
  const times = new Map<number, number>()
  for (const count of byNumber.values()) times.set(count, (times.get(count) ?? 0) + 1)
  return [
    "Executions in the worker's log:",
    ...daemonIds.map((id) => `  by ${id}: ${byDaemon.get(id) ?? 0}`),
    ...[...times].sort().map(([count, numbers]) => `  ${numbers} numbers ${count} times each`),
    'rabbitmqctl list_queues name messages_ready messages_unacknowledged:',
    ...queueLines.map((line) => `  ${line}`),
  ]
}

/**
 * Compares the worker's log and the queues with what was published.
 *
 * @returns one line for each thing that is not as it should be; none when all is well
 */
export function judge({ callers, executions, daemonIds, queueLines }: Ending): string[] {
  const faults: string[] = []
  const executed = executionsBy('number', executions)
  const expected = expectedExecutions(callers)
  for (const [number, times] of expected) {
    const actual = executed.get(number) ?? 0
    if (actual !== times) faults.push(`message ${number} was executed ${actual} times instead of ${times}`)
  }
  for (const number of executed.keys()) {
    if (!expected.has(number)) faults.push(`message ${number} was executed, but nobody published it`)
  }
  const byDaemon = executionsBy('daemonId', executions)
  for (const id of daemonIds) {
    if (!byDaemon.has(id)) faults.push(`${id} is not in the worker's log`)
  }
  for (const id of byDaemon.keys()) {
    if (!daemonIds.includes(id)) faults.push(`the worker's log names ${id}, which is none of the daemons`)
  }
  if (!queueLines.includes('commands 0 0')) faults.push('the queue commands is not empty')
  for (const line of queueLines) {
    if (!line.endsWith(' 0 0')) faults.push(`left in a queue: ${line}`)
  }
  return faults
}

/** Each caller publishes 1, 2, 3, ...: a number is expected once for each caller that came so far. */
function expectedExecutions(callers: readonly number[]): Map<string, number> {
  const expected = new Map<string, number>()
  for (let number = 1; number <= Math.max(...callers); number += 1) {
    expected.set(String(number), callers.filter((count) => count >= number).length)
  }
  return expected
}
