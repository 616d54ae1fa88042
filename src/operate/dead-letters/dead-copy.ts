import { expressible, KEPT_AS } from '../../bridge/copy-headers.ts'
import { HEADER_PREFIX } from '../../bridge/headers.ts'
import type { HeaderField, OutgoingMessage } from '../../bridge/ports.ts'
import type { Content } from './letter-text.ts'

/** Before the name of what is kept where nobody acts on it. */
export const ORIGINAL = `${HEADER_PREFIX}original-`

/**
 * Without what would keep a message from its queue (`user_id`), let it expire there, or send it elsewhere, too (`CC`, `BCC`): that is
 * kept as `x-fpm-bridge-original-*`; see copyOf.
 */
export function harmless({
  properties: { userId, expiration, ...kept },
  headers,
}: Pick<Content, 'properties' | 'headers'>): Pick<Content, 'properties' | 'headers'> {
  const fields: HeaderField[] = headers.map(([name, value]) => [KEPT_AS.get(name) ?? name, value])
  for (const [name, value] of Object.entries({ 'user-id': userId, expiration }))
    if (value !== undefined) fields.push([`${ORIGINAL}${name}`, value])
  return { properties: expressible(kept), headers: fields }
}

/** A letter once more, for a queue of dead letters: what it was, as far as that does no harm. */
export function deadCopyOf(content: Content, queue: string): OutgoingMessage {
  return { queue, ...harmless(content), body: content.body }
}
