import type {
  BridgeReport,
  DaemonReport,
  FailureReport,
  PauseNote,
  PoolReport,
  Quantiles,
} from './protocol.ts'

/** Bytes of an answer that is read: a process may have many bridges. */
const MAX_BODY = 4 * 1024 ** 2

type Fields = Readonly<Record<string, unknown>>

/**
 * A daemon of another version may say more, which is kept, or less, or something else: that is left empty.
 *
 * @returns undefined for what no daemon would answer
 */
export function readReport(body: Buffer): DaemonReport | undefined {
  if (body.length > MAX_BODY) return undefined
  try {
    return asReport(JSON.parse(body.toString()))
  } catch {
    return undefined
  }
}

/** The same of a value that has come otherwise. */
export function asReport(value: unknown): DaemonReport | undefined {
  if (!isObject(value)) return undefined
  const { daemon_id: id, pid, bridges, error, pools, failures, ...others } = value
  if (typeof id !== 'string' || typeof pid !== 'number' || !Array.isArray(bridges)) return undefined
  const read = bridges.map(asBridge)
  if (read.includes(undefined)) return undefined
  return {
    ...others,
    daemon_id: id,
    host: text(value['host']),
    pid,
    version: text(value['version']),
    uptime_s: number(value['uptime_s']),
    bridges: read.filter((bridge) => bridge !== undefined),
    ...(Array.isArray(pools) && { pools: pools.filter(isObject).map(asPool) }),
    ...(Array.isArray(failures) && { failures: failures.filter(isObject).map(asFailure) }),
    ...(error !== undefined && { error: text(error) }),
  }
}

function asBridge(value: unknown): BridgeReport | undefined {
  if (!isObject(value)) return undefined
  const {
    name,
    queue,
    state,
    session,
    messages,
    hold,
    pause,
    execution_ms: times,
    age_s: age,
    ...others
  } = value
  if (typeof queue !== 'string' || typeof state !== 'string') return undefined
  return {
    ...others,
    name: typeof name === 'string' ? name : queue,
    queue,
    // One that we do not know is shown as it is.
    state: state as BridgeReport['state'],
    session: session === 'down' ? 'down' : 'up',
    in_flight: number(value['in_flight']),
    concurrency: number(value['concurrency']),
    waiting: number(value['waiting']),
    messages: isObject(messages) ? only(messages, 'number') : {},
    rate: number(value['rate']),
    ...(isObject(times) && { execution_ms: asQuantiles(times) }),
    ...(typeof age === 'number' && { age_s: age }),
    ...(isObject(hold) && { hold: { reason: text(hold['reason']), held_ms: number(hold['held_ms']) } }),
    ...(isObject(pause) && { pause: only<PauseNote>(pause, 'string') }),
  }
}

function asPool(value: Fields): PoolReport {
  return {
    pool: text(value['pool']),
    busy: number(value['busy']),
    children: number(value['children']),
    listen_queue: number(value['listen_queue']),
  }
}

function asFailure(value: Fields): FailureReport {
  const { message_id: id } = value
  return {
    time: text(value['time']),
    queue: text(value['queue']),
    outcome: text(value['outcome']),
    reason: text(value['reason']),
    ...(typeof id === 'string' && { message_id: id }),
  }
}

function asQuantiles(value: Fields): Quantiles {
  return {
    count: number(value['count']),
    p50: number(value['p50']),
    p95: number(value['p95']),
    p99: number(value['p99']),
    max: number(value['max']),
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

/** Those of its members that are of that type. */
function only<T extends object = Record<string, number>>(value: Fields, type: 'string' | 'number'): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => typeof member === type)) as T
}
