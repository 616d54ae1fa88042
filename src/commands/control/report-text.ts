import type { BridgeReport, DaemonReport } from '../../control/protocol.ts'

/** Daemons that are named, of those that say the same. */
const NAMED = 3

/** @returns what a reader may want to know of one that takes no messages */
export function whyIdle({ hold, pause }: BridgeReport): string | undefined {
  if (pause !== undefined) {
    const { by, reason, until } = pause
    const parts = [by && `by ${by}`, reason, until && `until ${until}`].filter(Boolean)
    return parts.length === 0 ? undefined : parts.join(', ')
  }
  return hold?.reason
}

/** A line for each reason for which bridges do nothing: most daemons of a queue have the same. */
export function reasonsOf(reports: readonly DaemonReport[]): readonly string[] {
  const daemons = new Map<string, string[]>()
  for (const { daemon_id: id, bridges } of reports) {
    for (const bridge of bridges) {
      const why = whyIdle(bridge)
      if (why === undefined) continue
      const text = `${bridge.queue} is ${bridge.pause === undefined ? 'held' : 'paused'}: ${why}`
      daemons.set(text, [...(daemons.get(text) ?? []), id])
    }
  }
  return [...daemons].map(([text, ids]) => `${text} (${listed(ids)})`)
}

function listed(ids: readonly string[]): string {
  const more = ids.length - NAMED
  return `${ids.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

/** The two largest units: `3d 4h`, `12m 7s`. */
export function duration(seconds: number): string {
  const units = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'm'],
    [1, 's'],
  ] as const
  const first = units.findIndex(([size]) => seconds >= size)
  if (first === -1) return '0s'
  let rest = seconds
  const parts = units.slice(first, first + 2).map(([size, unit]) => {
    const count = Math.floor(rest / size)
    rest -= count * size
    return count === 0 ? '' : `${count}${unit}`
  })
  return parts.filter((part) => part !== '').join(' ')
}
