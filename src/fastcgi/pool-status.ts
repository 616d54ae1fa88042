import type { PoolAddress } from './address.ts'
import { Connection } from './connection.ts'
import { Exchange } from './exchange.ts'
import { RequestEncoder } from './request.ts'
import { connectPool } from './socket.ts'
import type { FastCgiResponse } from './types.ts'

/** php-fpm's `pm`. */
export type PoolKind = 'static' | 'dynamic' | 'ondemand'

/** The status page (`pm.status_path`) as php-fpm's sapi/fpm/fpm/fpm_status.c prints it. */
export interface PoolStatus {
  readonly pool: string
  readonly kind: PoolKind
  /** Seconds since the epoch, by its clock. */
  readonly startTime: number
  readonly startSince: number
  readonly acceptedConnections: number
  /** Connections in the backlog; on a Unix socket php-fpm always reads 0. */
  readonly listenQueue: number
  /** Since php-fpm has started. */
  readonly maxListenQueue: number
  readonly listenQueueLength: number
  readonly idleProcesses: number
  readonly activeProcesses: number
  readonly totalProcesses: number
  readonly maxActiveProcesses: number
  readonly maxChildrenReached: number
  readonly slowRequests: number
}

/** The status page with all children (`full`). */
export interface FullPoolStatus extends PoolStatus {
  readonly processes: readonly PoolChild[]
}

export interface PoolChild {
  /** `Idle`, `Running`, ... */
  readonly state: string
  readonly requests: number
  /** Microseconds; 0 where php-fpm reckons with a clock that was set back. */
  readonly requestDuration: number
  /** Percent of a CPU. */
  readonly lastRequestCpu: number
  /** Bytes. */
  readonly lastRequestMemory: number
}

const ENCODER = new RequestEncoder({ params: {}, endOfStdin: true })

/** Enough for a page of some hundred bytes; one that is larger is not php-fpm's. */
const LIMITS = { maxResponse: 64 * 1024, maxStderr: 4 * 1024 }

/** Some hundred bytes for each child, and the URL of its request. */
const FULL_LIMITS = { maxResponse: 16 * 1024 * 1024, maxStderr: 4 * 1024 }

/**
 * Reads the status page. A child serves it, so it waits while all are busy; `pm.status_listen` gives it a socket
 * of its own.
 *
 * @param path the pool's `pm.status_path`, such as `/status`
 * @param timeout milliseconds
 * @returns undefined when the pool has no such page, or something else under that name
 * @throws {FastCgiError} TIMEOUT, or what befell the connection
 */
export async function readPoolStatus(
  address: PoolAddress,
  path: string,
  timeout: number,
): Promise<PoolStatus | undefined> {
  const response = await askPage(address, path, 'json', timeout)
  if (response.status !== 200) return undefined
  try {
    return toPoolStatus(JSON.parse(response.body.toString('utf8')))
  } catch {
    return undefined // a page, but not this one
  }
}

/** The same, with all children. */
export async function readFullPoolStatus(
  address: PoolAddress,
  path: string,
  timeout: number,
): Promise<FullPoolStatus | undefined> {
  const response = await askPage(address, path, 'json&full', timeout, FULL_LIMITS)
  if (response.status !== 200) return undefined
  try {
    const page = JSON.parse(withoutUrls(response.body.toString('utf8')))
    return { ...toPoolStatus(page), processes: page.processes.map(toPoolChild) }
  } catch {
    return undefined
  }
}

/** php-fpm prints the URLs of requests as they are, quotes and all. */
function withoutUrls(text: string): string {
  return text.replace(/("request uri":)".*?"(,"content length":)/g, '$1""$2')
}

/**
 * Asks for `ping.path`.
 *
 * @returns whether the pool answered with its `ping.response`, as it is by default
 * @throws {FastCgiError} as readPoolStatus
 */
export async function pingPool(address: PoolAddress, path: string, timeout: number): Promise<boolean> {
  const response = await askPage(address, path, '', timeout)
  return response.status === 200 && response.body.toString('utf8').trim() === 'pong'
}

/**
 * php-fpm finds its pages by SCRIPT_NAME, and looks at that only when there is a SCRIPT_FILENAME. It is given the
 * page's own path, and never a script's: a pool without the page would run it.
 */
async function askPage(
  address: PoolAddress,
  path: string,
  query: string,
  timeout: number,
  limits = LIMITS,
): Promise<FastCgiResponse> {
  const started = performance.now()
  const connection = new Connection(await connectPool(address, timeout), address.kind)
  const exchange = new Exchange(limits, connection.nextRequestId, started, performance.now() - started)
  const timer = setTimeout(() => exchange.fail('TIMEOUT', `no answer for ${path} in ${timeout} ms`), timeout)
  try {
    const params = { REQUEST_METHOD: 'GET', SCRIPT_NAME: path, SCRIPT_FILENAME: path, QUERY_STRING: query }
    connection.send(exchange, ENCODER.encode(params, new Uint8Array(0)), false, () => {})
    return await exchange.response
  } finally {
    clearTimeout(timer)
    connection.destroy()
  }
}

/** @throws {Error} when the page is not php-fpm's */
function toPoolStatus(page: Page): PoolStatus {
  const number = (name: string): number => numberIn(page, name)
  const kind = page['process manager']
  if (kind !== 'static' && kind !== 'dynamic' && kind !== 'ondemand') throw new Error('no process manager')
  return {
    pool: String(page['pool']),
    kind,
    startTime: number('start time'),
    startSince: number('start since'),
    acceptedConnections: number('accepted conn'),
    listenQueue: number('listen queue'),
    maxListenQueue: number('max listen queue'),
    listenQueueLength: number('listen queue len'),
    idleProcesses: number('idle processes'),
    activeProcesses: number('active processes'),
    totalProcesses: number('total processes'),
    maxActiveProcesses: number('max active processes'),
    maxChildrenReached: number('max children reached'),
    slowRequests: number('slow requests'),
  }
}

function toPoolChild(child: Page): PoolChild {
  const requestDuration = numberIn(child, 'request duration')
  return {
    state: String(child['state']),
    requests: numberIn(child, 'requests'),
    requestDuration: Number.isSafeInteger(requestDuration) ? requestDuration : 0,
    lastRequestCpu: numberIn(child, 'last request cpu'),
    lastRequestMemory: numberIn(child, 'last request memory'),
  }
}

type Page = Readonly<Record<string, unknown>>

function numberIn(page: Page, name: string): number {
  const value = page[name]
  if (typeof value !== 'number') throw new Error(`no ${name}`)
  return value
}
