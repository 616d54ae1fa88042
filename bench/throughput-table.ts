import { spread } from './statistics.ts'
import { digits, table } from './table.ts'
import type { ThroughputResult } from './throughput.ts'

/** One line of the table, and one bar of the picture. Medians, with what the rounds ranged over. */
export interface ThroughputRow {
  readonly name: string
  /** Messages, or requests of the pool-only clients, a second. */
  readonly rate: { readonly median: number; readonly least: number; readonly most: number }
  /** Microseconds of CPU for each of them; NaN for what did not take part. */
  readonly cpu: { readonly daemon: number; readonly broker: number; readonly pool: number }
}

export function throughputRows({ contestants, clients }: ThroughputResult): ThroughputRow[] {
  const rows: ThroughputRow[] = []
  for (const [{ name, executedBy }, runs] of contestants) {
    const median = (who: 'daemon' | 'broker' | 'pool') => spread(runs.map(({ cpu }) => cpu[who])).median
    const pool = executedBy === 'pool' ? median('pool') : Number.NaN
    rows.push({
      name,
      rate: spread(runs.map(({ rate }) => rate)),
      cpu: { daemon: median('daemon'), broker: median('broker'), pool },
    })
  }
  for (const [{ name }, runs] of clients) {
    const median = (who: 'client' | 'pool') => spread(runs.map(({ cpu }) => cpu[who])).median
    rows.push({
      name: `pool only: ${name}`,
      rate: spread(runs.map(({ rate }) => rate)),
      cpu: { daemon: median('client'), broker: Number.NaN, pool: median('pool') },
    })
  }
  return rows
}

export function throughputTable(rows: readonly ThroughputRow[]): string {
  const head = ['', 'messages/s', '(least - most)', 'CPU us: daemon', 'broker', 'pool', 'sum']
  const lines = rows.map(({ name, rate, cpu }) => {
    const parts = [cpu.daemon, cpu.broker, cpu.pool]
    const sum = parts.filter(Number.isFinite).reduce((total, part) => total + part, 0)
    const range = `(${digits(rate.least)} - ${digits(rate.most)})`
    return [name, digits(rate.median), range, ...[...parts, sum].map(digits)]
  })
  return table(head, lines)
}
