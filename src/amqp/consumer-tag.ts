/** Bytes of a consumer tag, with room for the number that Session adds: a short string (AMQP 0-9-1, section 4.2.5.3). */
const MAX_BYTES = 240

/**
 * What the broker's page shows of a bridge's consumer: tags are per channel, and tell which bridge it is where a connection has several.
 *
 * @param bridge its name; undefined where it is the only one there may be
 * @returns `daemonId`, or `daemonId.bridge`, cut off where that is too long
 */
export function consumerTagOf(daemonId: string, bridge: string | undefined): string {
  if (bridge === undefined) return daemonId
  const bytes = Buffer.from(`${daemonId}.${bridge}`)
  if (bytes.length <= MAX_BYTES) return bytes.toString()
  // What is cut off in the middle of a character becomes U+FFFD, which is longer than what was left of it.
  return bytes.toString('utf8', 0, MAX_BYTES).replace(/\ufffd$/, '')
}
