import { isAbsolute } from 'node:path'

/** Where a pool listens: php-fpm's `listen` as a client sees it. */
export type PoolAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/** sun_path holds 108 bytes on Linux with its closing NUL (unix(7)); Node.js would cut a longer path silently. */
const MAX_SOCKET_PATH_BYTES = 107

/**
 * Reads a pool's address: `/path/to.sock`, `unix:///path/to.sock`, `host:port` or `[::1]:port`.
 *
 * @throws {Error} whose message says what the value must be, without repeating it
 */
export function parsePoolAddress(text: string): PoolAddress {
  if (text.startsWith('unix://')) return unixAddress(text.slice('unix://'.length))
  if (text.startsWith('/')) return unixAddress(text)
  const tcp = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+)):(\d{1,5})$/i.exec(text)
  const host = tcp?.[1] ?? tcp?.[2]
  const port = Number(tcp?.[3])
  if (host === undefined || port < 1 || port > 65_535) {
    throw new Error('must be an absolute socket path (/run/php/fpm.sock), unix:///path or host:port')
  }
  return { kind: 'tcp', host, port }
}

function unixAddress(path: string): PoolAddress {
  if (!isAbsolute(path)) throw new Error('must name an absolute path after unix://')
  if (path.includes('\0')) throw new Error('must not contain a NUL byte')
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    throw new Error(
      `is ${bytes} bytes long; the system takes socket paths of ${MAX_SOCKET_PATH_BYTES} at most`,
    )
  }
  return { kind: 'unix', path }
}

/** The address as an operator writes it. */
export function formatPoolAddress(address: PoolAddress): string {
  if (address.kind === 'unix') return address.path
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** The address as net.connect takes it. */
export function socketOptions(address: PoolAddress): { path: string } | { host: string; port: number } {
  return address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
}
