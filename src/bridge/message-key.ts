import type { Delivery } from './ports.ts'

/** Bytes of a body that are looked at. */
const SAMPLE_BYTES = 16 * 1024

/**
 * Tells a message from others, also when it comes again with another delivery tag, from another session, or as a copy of ours. A
 * message id alone does not: publishers leave it out, or give it twice.
 */
export function messageKey({ properties: { messageId = '' }, body }: Delivery): string {
  return `${messageId}/${body.length}/${fnv1a(body.subarray(0, SAMPLE_BYTES))}`
}

/** FNV-1a, 32 bits (RFC 9923): quick, and good enough where nobody gains by a collision. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
