import type { Results } from './results.ts'
import type { Spread } from './statistics.ts'
import { digits, table } from './table.ts'
import { throughputRows, throughputTable } from './throughput-table.ts'

const MIB = 2 ** 20

const range = ({ least, most }: Spread): string => `(${digits(least)} - ${digits(most)})`

/** A section's figures as text for a terminal. */
export function describe(results: Results): string {
  const { startTime, throughput, modes, many, frameworks, utilisation, bodies, form } = results
  const { latency = many?.latency, memory = many?.memory } = results
  const parts: string[] = []
  if (startTime !== undefined) {
    const { here, node, before } = startTime
    parts.push(
      `From start to the first message: ${digits(here.median)} ms ${range(here)}; Node.js alone: ${digits(node.median)} ms`,
    )
    if (before !== undefined) {
      const { there, ratio } = before
      parts.push(
        `Before: ${digits(there.median)} ms ${range(there)}; this / before: ${digits(ratio.median)} ${range(ratio)}`,
      )
    }
  }
  if (throughput !== undefined) parts.push(throughputTable(throughputRows(throughput)))
  if (modes !== undefined) parts.push(throughputTable(throughputRows(modes)))
  if (many !== undefined) {
    const peaks = many.childPeaks.map((bytes) => (bytes / MIB).toFixed(0)).join(' ')
    parts.push(throughputTable(throughputRows(many.throughput)))
    parts.push(`Most memory of a child of the pool, at each tenth, MiB: ${peaks}`)
  }
  if (frameworks !== undefined) parts.push(throughputTable(throughputRows(frameworks)))
  if (latency !== undefined) {
    const rows = latency.map(({ name, p50, p99 }) => [name, digits(p50), digits(p99)])
    parts.push(table(['publish to first line of the worker, 100/s', 'p50 ms', 'p99 ms'], rows))
  }
  if (utilisation !== undefined) {
    const rows = utilisation.map(({ children, rate, used, asleep, poolOnly }) => [
      String(children),
      digits(rate.median),
      used.median.toFixed(3),
      `(${used.least.toFixed(3)} - ${used.most.toFixed(3)})`,
      asleep.median.toFixed(3),
      poolOnly.median.toFixed(3),
    ])
    const head = [
      'children, 20 ms each',
      'messages/s',
      'used / available',
      '(least - most)',
      'at 20 ms',
      'pool only',
    ]
    parts.push(table(head, rows))
  }
  if (memory !== undefined) {
    const tenths = memory.resident.map((bytes) => (bytes / MIB).toFixed(0)).join(' ')
    parts.push(`Resident memory at each tenth of ${digits(memory.messages)} messages, MiB: ${tenths}`)
  }
  if (bodies !== undefined) {
    const rows = bodies.map(({ name, size, rate }) => [
      `${size / 1024} KiB, ${name}`,
      digits(rate.median),
      range(rate),
      digits((rate.median * size) / MIB),
    ])
    parts.push(table(['body', 'messages/s', '(least - most)', 'MiB/s'], rows))
  }
  if (form !== undefined) {
    const rows = form.map(({ message, size, ours, obvious, ratio }) => [
      `${message}, ${size} bytes`,
      digits(ours.median),
      digits(obvious.median),
      digits(ratio.median),
      range(ratio),
    ])
    const head = ['form of', 'ours/CPU s', 'JSON.parse and URLSearchParams', 'ratio', '(least - most)']
    parts.push(table(head, rows))
  }
  return parts.join('\n\n')
}
