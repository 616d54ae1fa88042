import type { Invoked } from '../../operate/invoke/invoker.ts'
import type { LoadReport } from '../../operate/invoke/load.ts'
import type { Verdict } from '../../operate/invoke/verdict.ts'

type Durations = LoadReport['total']

/** What stands before the body of an answer. */
export function headLines({ answer }: Invoked): readonly string[] {
  if (answer === undefined) return []
  const headers = [...answer.headers].flatMap(([name, values]) => values.map((value) => `${name}: ${value}`))
  const status = Number.isNaN(answer.status) ? 'cannot be read' : String(answer.status)
  return [...labelled('status', [status]), ...labelled('headers', headers)]
}

/** What stands behind it. */
export function tailLines({ answer, totalMs, verdict, warnings }: Invoked): readonly string[] {
  const cutOff = [
    ...(answer?.bodyTruncated ? ['the answer is cut off (--max-response)'] : []),
    ...(answer?.stderrTruncated ? ['stderr is cut off (--max-stderr)'] : []),
  ]
  const timings =
    answer === undefined
      ? `no answer after ${milliseconds(totalMs)}`
      : `connect ${milliseconds(answer.timings.connect)}, first byte ${milliseconds(answer.timings.firstByte)}, total ${milliseconds(answer.timings.total)}`
  return [
    ...labelled('stderr', answer === undefined || answer.stderr === '' ? [] : answer.stderr.split('\n')),
    ...labelled('warning', [...warnings, ...cutOff]),
    ...labelled('timings', [timings]),
    ...verdictLines(verdict),
  ]
}

function verdictLines({ outcome, fate, what, reason }: Verdict): readonly string[] {
  return [
    ...labelled('outcome', [`${outcome}: ${fate}`]),
    ...labelled('row', [what]),
    ...labelled('reason', reason === undefined ? [] : reason.split('\n')),
  ]
}

/** What is said of many. */
export function loadLines(load: LoadReport): readonly string[] {
  const { done, seconds, perSecond, concurrency, connect, firstByte, total, verdicts } = load
  const quantiles = [
    ['', 'p50', 'p95', 'p99', 'max'],
    ['connect', ...quantilesOf(connect)],
    ['first byte', ...quantilesOf(firstByte)],
    ['total', ...quantilesOf(total)],
  ]
  return [
    `${done} done in ${seconds.toFixed(2)} s, ${concurrency} at a time: ${perSecond.toFixed(1)} messages/s`,
    ...quantiles.map(
      ([name = '', ...cells]) => name.padEnd(10) + cells.map((cell) => cell.padStart(12)).join(''),
    ),
    ...verdicts.flatMap(({ count, outcome, what, reason }) => [
      `${count} ${outcome}: ${what}`,
      ...(reason === undefined ? [] : [`  the first: ${reason}`]),
    ]),
  ]
}

function quantilesOf({ count, p50, p95, p99, max }: Durations): readonly string[] {
  if (count === 0) return ['-', '-', '-', '-']
  return [p50, p95, p99, max].map(milliseconds)
}

function milliseconds(value: number): string {
  return `${value.toFixed(value < 100 ? 2 : 0)} ms`
}

/** The label before the first line; the others stand below it. */
function labelled(label: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => (index === 0 ? label : '').padEnd(10) + line)
}
