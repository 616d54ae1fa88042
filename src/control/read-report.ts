import type { DaemonReport } from './protocol.ts'

/** Bytes of an answer that is read: a process may have many bridges. */
const MAX_BODY = 4 * 1024 ** 2

/** @returns undefined for what no daemon would answer */
export function readReport(body: Buffer): DaemonReport | undefined {
  if (body.length > MAX_BODY) return undefined
  try {
    const value: unknown = JSON.parse(body.toString())
    return isReport(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** As far as others rely on it; a daemon of another version may say more, or less. */
function isReport(value: unknown): value is DaemonReport {
  const { daemon_id: id, pid, bridges } = (value ?? {}) as Partial<Record<keyof DaemonReport, unknown>>
  return (
    typeof id === 'string' && typeof pid === 'number' && Array.isArray(bridges) && bridges.every(isBridge)
  )
}

function isBridge(value: unknown): boolean {
  const { queue, state } = (value ?? {}) as Readonly<Record<string, unknown>>
  return typeof queue === 'string' && typeof state === 'string'
}
