import { HEADER_PREFIX, REPLAYED } from '../../bridge/headers.ts'
import type { HeaderField, OutgoingMessage } from '../../bridge/ports.ts'
import { harmless, ORIGINAL } from './dead-copy.ts'
import type { Content } from './letter-text.ts'

/** Of our own headers, what is no word of the last execution: where the message was published, and what it had then. */
const KEPT: readonly string[] = ['queue', 'exchange', 'routing-key', 'headers-dropped']

/** What RabbitMQ notes of its dead-lettering: by it, it drops what seems to run in a circle. */
const DEATH = /^x-(?:death$|first-death-|last-death-)/

/**
 * The message that a letter becomes again. Body, properties and headers stay as they are, as far as that does no harm. What is counted
 * begins anew.
 *
 * @param note what `x-fpm-bridge-replayed` says
 */
export function replayOf(
  { properties, headers, body }: Content,
  queue: string,
  note: string,
): OutgoingMessage {
  const content = harmless({ properties, headers: headers.filter(isKept) })
  return {
    queue,
    properties: { ...content.properties, deliveryMode: 2 },
    headers: [...content.headers, [REPLAYED, note]],
    body,
  }
}

function isKept([name]: HeaderField): boolean {
  if (DEATH.test(name)) return false
  if (!name.startsWith(HEADER_PREFIX)) return true
  return name.startsWith(ORIGINAL) || KEPT.includes(name.slice(HEADER_PREFIX.length))
}
