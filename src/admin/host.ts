import { isIPv4 } from 'node:net'

/**
 * Whether a browser that asks so is at a page of this machine. A page of another site can have its name lead here (DNS rebinding), and
 * read the answers; but its name is in the Host header.
 *
 * @param header undefined: it is no browser
 * @param listening the host that the server listens at
 */
export function isOwnHost(header: string | undefined, listening: string): boolean {
  if (header === undefined) return true
  const host = (/^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header) ?? []).slice(1).find((part) => part)
  const name = host?.toLowerCase()
  return name !== undefined && (name === listening.toLowerCase() || isLoopback(name))
}

/** `localhost`, 127.0.0.0/8 or ::1. */
function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'))
}
