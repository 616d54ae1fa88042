import { type PoolAddress, parsePoolAddress } from '../fastcgi/address.ts'
import { anyText, optional } from './parse.ts'
import type { OptionReader } from './reader.ts'
import { readSmallFile } from './small-file.ts'
import { flag } from './values.ts'

/** The web server of the process. */
export interface AdminConfig {
  readonly address: PoolAddress
  /** That each request has to bring; undefined: none. */
  readonly token: string | undefined
  /** Whether requests may name any host: of others, a browser may send them for a page that is none of ours. */
  readonly anyHost: boolean
}

export const ADMIN_OPTIONS = {
  admin: optional(adminAddress),
  'admin-token-file': optional(anyText),
  'admin-open': flag,
}

/** What can be guessed, or sent in a header only with tricks, is no token. */
const TOKEN = /^[\x21-\x7e]{16,1024}$/

/**
 * Whoever reaches the server may read what it shows: beyond this machine only with a token, or where somebody has said so.
 *
 * @throws {OptionError} which says nothing of what the file holds
 */
export function readAdmin(read: OptionReader): AdminConfig | undefined {
  const given = read.values(ADMIN_OPTIONS)
  const { admin: address, 'admin-token-file': tokenFile, 'admin-open': open } = given
  if (address === undefined) {
    if (tokenFile !== undefined) read.refuse('admin-token-file', 'needs --admin')
    if (open) read.refuse('admin-open', 'needs --admin')
    return undefined
  }
  if (open && tokenFile !== undefined) read.refuse('admin-open', 'contradicts --admin-token-file; keep one')
  if (tokenFile === undefined && !open && !isOfThisMachine(address))
    read.refuse(
      'admin',
      'can be reached from other machines: give --admin-token-file, or --admin-open if anybody may read it',
    )
  const token = tokenFile === undefined ? undefined : readToken(read, tokenFile)
  return Object.freeze({ address, token, anyHost: open || token !== undefined || address.kind === 'unix' })
}

export function adminAddress(text: string): PoolAddress {
  try {
    return parsePoolAddress(text)
  } catch (cause) {
    throw new Error('must be host:port, or the absolute path of a Unix socket', { cause })
  }
}

function isOfThisMachine(address: PoolAddress): boolean {
  return address.kind === 'unix' || /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/i.test(address.host)
}

/** The path is not repeated: somebody will give the token itself. */
export function readToken(read: OptionReader, path: string): string {
  try {
    const token = readSmallFile(path).toString('latin1').trimEnd()
    if (!TOKEN.test(token)) throw new Error('has no token of 16 to 1024 visible ASCII characters')
    return token
  } catch (error) {
    return read.refuse('admin-token-file', `names a file that ${(error as Error).message}`)
  }
}
