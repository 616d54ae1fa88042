import { connect } from 'node:net'
import { formatPoolAddress, type PoolAddress, socketOptions } from './address.ts'
import { FastCgiError, systemCodeOf } from './client.ts'

/** What each refusal means for the one who has to mend it. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket; is php-fpm running, and is this the path of its `listen`?',
  ECONNREFUSED: 'nobody listens there; is php-fpm running?',
  EACCES: 'permission denied; see `listen.owner`, `listen.group` and `listen.mode` of the pool',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be resolved at the moment',
  EMFILE: 'this process has too many open files; raise its limit (ulimit -n)',
  EAGAIN: 'its backlog is full; it needs more children, or less --concurrency',
  ETIMEDOUT: 'no answer',
}

/**
 * Connects to a pool and hangs up without sending a byte: no script runs.
 *
 * @param timeout milliseconds until a connect without any answer (TCP only) counts as failed
 * @throws {FastCgiError} CONNECT_FAILED, also for a full backlog, which refuses a Unix connect with EAGAIN
 */
export function probePool(address: PoolAddress, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketOptions(address))
    socket.setTimeout(timeout, () => socket.destroy(systemError('ETIMEDOUT')))
    socket.once('connect', () => socket.destroy())
    socket.once('error', (error) => reject(connectError(address, error)))
    socket.once('close', () => resolve())
  })
}

/** A failed connect, told to the operator: nothing was sent. */
export function connectError(address: PoolAddress, cause: unknown): FastCgiError {
  const code = systemCodeOf(cause)
  const remedy = code === undefined ? undefined : REMEDIES[code]
  const reason = [code ?? String(cause), remedy].filter((part) => part !== undefined).join(': ')
  return new FastCgiError(
    'CONNECT_FAILED',
    'connect',
    `cannot connect to ${formatPoolAddress(address)}: ${reason}`,
    { cause },
  )
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}
