import { connect, type Socket, type SocketConnectOpts, type SocketConstructorOpts } from 'node:net'
import { formatPoolAddress, type PoolAddress, socketOptions } from './address.ts'
import { ReadingSocket } from './reading-socket.ts'
import { FastCgiError, systemCodeOf } from './types.ts'

/** What each refusal means for the one who has to mend it. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket; is php-fpm running, and is this the path of its `listen`?',
  ECONNREFUSED: 'nobody listens there; is php-fpm running?',
  EACCES: 'permission denied; see `listen.owner`, `listen.group` and `listen.mode` of the pool',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be resolved at the moment',
  EMFILE: 'this process has too many open files; raise its limit (ulimit -n)',
  EAGAIN: 'the backlog of the pool is full; more children, or less --concurrency',
  ETIMEDOUT: 'no answer',
}

/** Of a host name, so many get their turn within the timeout. */
const ADDRESSES = 4

/** What all sockets read into, one after the other: Node.js would allocate 64 KiB for each read, even of the end. */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024)

/**
 * Opens a connection to a pool.
 *
 * @param timeout milliseconds until a connect without any answer counts as failed; a Unix socket answers at once
 * @param signal gives up
 * @returns a socket whose 'data' is overwritten by the next read of any: listeners copy what they keep; and that its owner
 *   has to destroy when the other side has ended
 * @throws {FastCgiError} CONNECT_FAILED
 */
export function connectPool(address: PoolAddress, timeout: number, signal?: AbortSignal): Promise<Socket> {
  return connectBy((options, target) => connect({ ...options, ...target }), address, timeout, signal)
}

/** The same, of a socket that reads on. */
export function connectReading(
  address: PoolAddress,
  timeout: number,
  signal?: AbortSignal,
): Promise<ReadingSocket> {
  return connectBy((options, target) => new ReadingSocket(options).connect(target), address, timeout, signal)
}

/** How node:net makes a socket, and has it connect. */
type Connect<S extends Socket> = (options: SocketConstructorOpts, target: SocketConnectOpts) => S

function connectBy<S extends Socket>(
  connectSocket: Connect<S>,
  address: PoolAddress,
  timeout: number,
  signal?: AbortSignal,
): Promise<S> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(connectSocket, address, timeout)
    // Without it a small request may wait for the acknowledgement of the one before (RFC 896).
    socket.setNoDelay(true)
    const giveUp = (): void => void socket.destroy(systemError('ETIMEDOUT'))
    const timer = setTimeout(giveUp, timeout)
    signal?.addEventListener('abort', giveUp)
    const settle = (error?: Error): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', giveUp)
      socket.off('error', settle)
      if (error === undefined) resolve(socket)
      else reject(connectError(address, error))
    }
    socket.once('error', settle)
    socket.once('connect', settle)
  })
}

function openSocket<S extends Socket>(connectSocket: Connect<S>, address: PoolAddress, timeout: number): S {
  const callback = (bytes: number): true => {
    socket.emit('data', READ_BUFFER.subarray(0, bytes))
    return true // read on
  }
  // Node.js takes `onread` with a socket's options, though its types do not say so.
  const options = { onread: { buffer: READ_BUFFER, callback }, allowHalfOpen: true }
  // Node.js goes on to a name's next address after 250 ms: none that is further away would ever be reached.
  const autoSelectFamilyAttemptTimeout = Math.ceil(timeout / ADDRESSES)
  const socket = connectSocket(options, { ...socketOptions(address), autoSelectFamilyAttemptTimeout })
  return socket
}

/**
 * Connects to a pool and hangs up without sending a byte: no script runs.
 *
 * @throws {FastCgiError} CONNECT_FAILED, also for a full backlog
 */
export async function probePool(address: PoolAddress, timeout: number): Promise<void> {
  const socket = await connectPool(address, timeout)
  socket.destroy()
}

/** A Unix connect to a full backlog fails with EAGAIN (unix(7)); over TCP it waits. */
export function isBacklogFull(error: unknown): boolean {
  return error instanceof FastCgiError && error.systemCode === 'EAGAIN'
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
