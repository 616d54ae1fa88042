import type { PoolDemand } from '../../config/pool-demands.ts'
import type { PoolAddress } from '../../fastcgi/address.ts'
import { type PoolStatus, pingPool, readPoolStatus } from '../../fastcgi/pool-status.ts'
import { FastCgiError } from '../../fastcgi/types.ts'
import { type Finder, type Finding, findingsOf } from './finding.ts'

/** Milliseconds for each page: a child serves it, and all may be busy. */
const PAGE_TIMEOUT = 2_000

/** What the pool says of itself. */
export interface PoolWords {
  readonly findings: readonly Finding[]
  /** Undefined where it has no status page, or does not answer. */
  readonly status: PoolStatus | undefined
  /** Whether a child has answered in FastCGI. */
  readonly answers: boolean
}

/** Asks a pool for its pages, and compares it with what all bridges together ask of it. No script runs. */
export async function checkPool({ pool, bridges, concurrency }: PoolDemand): Promise<PoolWords> {
  const finder = findingsOf('pool', pool)
  const [first] = bridges
  if (first === undefined) return { findings: [], status: undefined, answers: false }
  const { pool: address, pingPath, statusPath } = first
  const ping = await page(() => pingPool(address, pingPath, PAGE_TIMEOUT))
  if (ping instanceof FastCgiError && !isRefusal(ping)) {
    return { findings: [silence(address, ping, finder)], status: undefined, answers: false }
  }
  const status = await page(() => readPoolStatus(address, statusPath, PAGE_TIMEOUT))
  const known = status instanceof FastCgiError ? undefined : status
  return {
    findings: [
      finder.passed('answers', 'it answers in FastCGI'),
      ping === true
        ? finder.passed('ping', `it answers for ${pingPath}`)
        : finder.warned(
            'ping',
            `it has no page ${pingPath}`,
            `in the pool: \`ping.path = ${pingPath}\`, or give --ping-path what it is there`,
          ),
      ...(known === undefined ? [withoutStatus(statusPath, finder)] : ofStatus(known, concurrency, finder)),
    ],
    status: known,
    answers: true,
  }
}

async function page<T>(ask: () => Promise<T>): Promise<T | FastCgiError> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof FastCgiError) return error
    throw error
  }
}

/** FastCGI, though no page. */
function isRefusal({ code }: FastCgiError): boolean {
  return code === 'REQUEST_REFUSED' || code === 'EMPTY_ANSWER'
}

function silence({ kind }: PoolAddress, { code, message, phase }: FastCgiError, { failed }: Finder): Finding {
  if (code === 'TIMEOUT')
    return failed(
      'answers',
      'unavailable',
      `no child has answered within ${PAGE_TIMEOUT / 1_000} s: all are busy, or php-fpm is stuck`,
      'give it more children (`pm.max_children`), end what hangs (`request_terminate_timeout`), or look who else uses the pool',
    )
  if (phase === 'connect') return failed('answers', 'unavailable', message, 'start php-fpm')
  const allowed = kind === 'tcp' ? ', whose `listen.allowed_clients` lets this host in' : ''
  return failed(
    'answers',
    'configuration',
    `whoever listens there does not answer in FastCGI (${message})`,
    `correct --socket: it must be the \`listen\` of a pool${allowed}`,
  )
}

function withoutStatus(path: string, { warned }: Finder): Finding {
  return warned(
    'status',
    `it has no page ${path}, so its kind, its children and its clock are not known`,
    `in the pool: \`pm.status_path = ${path}\`, or give --status-path what it is there`,
  )
}

function ofStatus(status: PoolStatus, concurrency: number, finder: Finder): readonly Finding[] {
  const { passed, warned } = finder
  const { kind, totalProcesses, idleProcesses, maxChildrenReached } = status
  return [
    passed(
      'status',
      `pool ${status.pool}, ${kind}, ${totalProcesses} children, ${idleProcesses} of them idle`,
    ),
    ofChildren(status, concurrency, finder),
    maxChildrenReached > 0
      ? warned(
          'max-children-reached',
          `since its start it has needed more children than it may have, ${maxChildrenReached} times`,
          'raise `pm.max_children`, or lower --concurrency',
        )
      : passed('max-children-reached', 'it has never needed more children than it may have'),
  ]
}

/** Only of a static pool the children are there, and counted, before they are needed. */
function ofChildren(
  { kind, totalProcesses }: PoolStatus,
  concurrency: number,
  { passed, warned, unknown }: Finder,
): Finding {
  if (kind !== 'static')
    return unknown(
      'children',
      `a ${kind} pool does not say how many children it may have; the bridges ask for ${concurrency}`,
      `look yourself: \`pm.max_children\` has to be ${concurrency} or more`,
    )
  return totalProcesses < concurrency
    ? warned(
        'children',
        `it has ${totalProcesses} children, and the bridges together ask for ${concurrency}: the rest waits in its backlog while --timeout runs`,
        `in the pool: \`pm.max_children = ${concurrency}\`, or lower --concurrency`,
      )
    : passed('children', `${totalProcesses} children for ${concurrency} requests at a time`)
}
