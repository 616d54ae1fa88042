import { before, COMPLETED, DISPATCHED, REFERENCE, SHORTEST } from './contestants.ts'
import { frameworkTargets } from './frameworks.ts'
import { DIRECT } from './latency.ts'
import { manyTargets } from './many.ts'
import { NATIVE, NATIVE_KEPT, NPM } from './pool-only.ts'
import type { Results } from './results.ts'
import { digits, table } from './table.ts'
import { compared, type Target } from './target.ts'
import type { ThroughputResult } from './throughput.ts'

/** Each figure that this run has measured, with what it should be. */
export function targets({
  throughput,
  modes,
  many,
  latency,
  utilisation,
  memory,
  form,
  frameworks,
}: Results): Target[] {
  const found: Target[] = modes === undefined ? [] : modeTargets(modes)
  if (many !== undefined) found.push(...manyTargets(many))
  if (frameworks !== undefined) found.push(...frameworkTargets(frameworks))
  if (throughput !== undefined) {
    const { contestants, clients } = throughput
    const compare = (
      what: string,
      atLeast: number,
      dividends: readonly number[],
      divisors: readonly number[],
    ) => found.push(compared(what, { atLeast }, dividends, divisors))
    const runs = (contestant: typeof COMPLETED) => contestants.get(contestant) ?? []
    const rates = (contestant: typeof COMPLETED) => runs(contestant).map(({ rate }) => rate)
    const cpu = (contestant: typeof COMPLETED) => runs(contestant).map((run) => run.cpu.daemon)
    const requests = (client: typeof NATIVE) => (clients.get(client) ?? []).map(({ rate }) => rate)
    compare(
      'messages/s, fpm-bridge --ack completed / reference daemon',
      5,
      rates(COMPLETED),
      rates(REFERENCE),
    )
    compare(
      'CPU per message, reference daemon / fpm-bridge --ack completed',
      4,
      cpu(REFERENCE),
      cpu(COMPLETED),
    )
    compare('messages/s, fpm-bridge --ack completed / shortest loop', 0.9, rates(COMPLETED), rates(SHORTEST))
    compare(
      'requests/s, native / npm fastcgi-client, connection per request',
      1.5,
      requests(NATIVE),
      requests(NPM),
    )
    compare(
      'requests/s, native with keep-alive / npm fastcgi-client',
      4,
      requests(NATIVE_KEPT),
      requests(NPM),
    )
  }
  const large = utilisation?.find(({ children }) => children === 64)
  if (large !== undefined) {
    const { median: value, least, most } = large.used
    found.push({
      what: 'child-seconds used by scripts / available, 64 children of 20 ms',
      wanted: { atLeast: 0.97 },
      value,
      least,
      most,
    })
  }
  if (memory !== undefined) {
    const value = (memory.resident.at(-1) ?? Number.NaN) / (memory.resident[0] ?? Number.NaN)
    found.push({
      what: `resident memory, end / 10 % of ${digits(memory.messages)} messages`,
      wanted: { atMost: 1.1 },
      value,
    })
  }
  if (latency !== undefined) {
    const p50 = (name: string) => latency.find((entry) => entry.name === name)?.p50 ?? Number.NaN
    found.push({
      what: 'added latency p50, fpm-bridge --ack completed, ms',
      wanted: { atMost: 1 },
      value: p50(COMPLETED.name) - p50(DIRECT.kept),
    })
  }
  for (const { message, ratio } of form ?? []) {
    const { median: value, least, most } = ratio
    found.push({
      what: `forms/s of ${message}, ours / URLSearchParams`,
      wanted: { atLeast: 1 },
      value,
      least,
      most,
    })
  }
  return found
}

/** Both ways to ack cost the same; and neither costs more than it did. */
function modeTargets({ contestants }: ThroughputResult): Target[] {
  const runs = (wanted: string) => [...contestants].find(([{ name }]) => name === wanted)?.[1] ?? []
  const pairs = [
    ['dispatched / completed', DISPATCHED.name, COMPLETED.name, 0.95, 1.1],
    ['completed / before', COMPLETED.name, `fpm-bridge ${before('completed')}`, 0.97, 1.03],
    ['dispatched / before', DISPATCHED.name, `fpm-bridge ${before('dispatched')}`, 0.97, 1.03],
  ] as const
  return pairs.flatMap(([what, one, other, atLeast, atMost]) => {
    if (runs(other).length === 0) return []
    const rates = (name: string) => runs(name).map(({ rate }) => rate)
    const cpu = (name: string) => runs(name).map((run) => run.cpu.daemon)
    return [
      compared(`messages/s, ${what}`, { atLeast }, rates(one), rates(other)),
      compared(`CPU per message, ${what}`, { atMost }, cpu(one), cpu(other)),
    ]
  })
}

export function isMet({ wanted, value }: Target): boolean {
  return 'atLeast' in wanted ? value >= wanted.atLeast : value <= wanted.atMost
}

export function targetTable(all: readonly Target[]): string {
  const rows = all.map((target) => {
    const { what, wanted, value, least, most } = target
    const wish = 'atLeast' in wanted ? `>= ${wanted.atLeast}` : `<= ${wanted.atMost}`
    const range = least === undefined || most === undefined ? '' : `(${digits(least)} - ${digits(most)})`
    return [what, wish, digits(value), range, isMet(target) ? 'met' : 'NOT MET']
  })
  return table(['figure', 'target', 'here', '(rounds)', ''], rows)
}
