import { expressible, KEPT_AS } from '../../bridge/copy-headers.ts'
import { HEADER_PREFIX } from '../../bridge/headers.ts'
import type { HeaderField, OutgoingMessage } from '../../bridge/ports.ts'
import type { Content } from './letter-text.ts'

/**
 * A letter once more, for a queue of dead letters: what it was, but for what would keep it from the queue, or send it elsewhere, too:
 * `user_id`, `CC` and `BCC` become `x-fpm-bridge-original-*`.
 */
export function deadCopyOf(
  { properties: { userId, ...properties }, headers, body }: Content,
  queue: string,
): OutgoingMessage {
  const fields: HeaderField[] = headers.map(([name, value]) => [KEPT_AS.get(name) ?? name, value])
  if (userId !== undefined) fields.push([`${HEADER_PREFIX}original-user-id`, userId])
  return { queue, properties: expressible(properties), headers: fields, body }
}
