import type { Delivery } from './ports.ts'

/** Bytes that are looked at of a body's beginning, and of its end. */
const SAMPLE_BYTES = 16 * 1024

/**
 * Tells a message from others, also when it comes again with another delivery tag, from another session, or as a copy of ours. A
 * message id alone does not: publishers leave it out, or give it twice.
 */
export function messageKey({ properties: { messageId = '' }, body }: Delivery): string {
  const [beginning, end] = [body.subarray(0, SAMPLE_BYTES), body.subarray(-SAMPLE_BYTES)]
  return `${messageId}/${body.length}/${fnv1a(beginning)}/${fnv1a(end)}`
}

/** FNV-1a, 32 bits (RFC 9923): quick, and good enough where nobody gains by a collision. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
