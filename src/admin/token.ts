import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether an Authorization header has the token. How long that takes says nothing of the token. */
export function hasToken(header: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1]
  // Digests, since only what is of one length can be compared so.
  return given !== undefined && timingSafeEqual(digest(given), digest(token))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
