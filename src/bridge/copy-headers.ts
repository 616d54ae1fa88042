import type { Diagnosis } from './diagnosis.ts'
import type { Execution } from './execution.ts'
import type { Copied } from './facts.ts'
import { DELIVERY_COUNT, HEADER_PREFIX, REPLAYED } from './headers.ts'
import type { BridgePolicy, HeaderField, MessageProperties } from './ports.ts'

/** What is taken off copies that are to be executed; see copyOf. */
const NOT_FOR_EXECUTION: readonly string[] = ['x-death', DELIVERY_COUNT]

/** Those of RabbitMQ that would send a copy to further queues, and what they are kept as. */
export const KEPT_AS: ReadonlyMap<string, string> = new Map([
  ['CC', `${HEADER_PREFIX}original-cc`],
  ['BCC', `${HEADER_PREFIX}original-bcc`],
])

const KEPT: readonly string[] = [`${HEADER_PREFIX}headers-dropped`, REPLAYED]

/** Characters that a copy carries of the worker's stderr, and of the reason where there is little room. */
const MAX_STDERR = 2_048
const BRIEF_REASON = 200

/** What a copy tells of the executions so far. */
export interface CopyNotes extends Diagnosis {
  /** Executions so far. */
  readonly attempt: number
  /** Milliseconds of the last of them. */
  readonly durationMs?: number
  /** How often in a row, up to now, the pool has not read the message whole. */
  readonly unread?: number
}

/** What all but `dead-letter` have in common: the copy comes back to be executed. */
export type CopyPurpose = Copied['purpose']

/** What is copied. */
type Original = Pick<Execution, 'delivery' | 'history'>

/**
 * How much of everything a copy carries:
 *
 * - `whole`: all;
 * - `brief`: of the diagnosis no stderr, and the beginning of the reason; the message needs its headers more than we ours;
 * - `cut`: so many bytes less of the message's headers, the largest first;
 * - `bare`: none of them.
 */
export type CopyForm =
  | { readonly kind: 'whole' | 'brief' | 'bare' }
  | { readonly kind: 'cut'; readonly by: number }

export interface CopyContent {
  readonly properties: Omit<MessageProperties, 'headers'>
  readonly headers: readonly HeaderField[]
}

/**
 * Properties and headers of a copy: those of the message, made safe to publish again, and what we have to say about it.
 *
 * - `user_id` must be the publisher's own user, or the broker closes the channel;
 * - `expiration` would let the copy expire in its new queue;
 * - the headers `CC` and `BCC` would send it to further queues, even back to its own.
 *
 * They are kept as `x-fpm-bridge-original-*`, where nobody acts on them.
 *
 * - `x-death` is taken off what comes back: RabbitMQ 3 drops a message that, by this header, has been dead-lettered
 *   out of the queue it is about to enter, as if it ran in a circle (rabbit_dead_letter.erl, is_cycle);
 * - so is `x-delivery-count`: a copy has never come back.
 */
export function copyOf(
  original: Original,
  purpose: CopyPurpose,
  notes: CopyNotes,
  config: BridgePolicy,
  form: CopyForm = { kind: 'whole' },
): CopyContent {
  const { userId, expiration, headers: _, ...kept } = original.delivery.properties
  const properties = { ...expressible(kept), deliveryMode: 2 }
  const own = ownHeaders(original, purpose, form.kind === 'whole' ? notes : brief(notes), config)
  if (form.kind === 'bare') return { properties, headers: [...own, dropped(true)] }
  const foreign = foreignHeaders(original, purpose)
  const originals = prefixed({ 'original-user-id': userId, 'original-expiration': expiration })
  if (form.kind !== 'cut') return { properties, headers: [...foreign, ...originals, ...own] }
  const { fitting, names } = withoutLargest(foreign, form.by)
  return { properties, headers: [...fitting, ...originals, ...own, dropped(names)] }
}

/** What goes on of the message's headers, with what an earlier copy kept: that is to be read, never to be relied on. */
function foreignHeaders({ delivery, history }: Original, purpose: CopyPurpose): HeaderField[] {
  const fields: HeaderField[] = []
  for (const field of delivery.headerFields()) {
    const [name, value] = field
    const keptAs = KEPT_AS.get(name)
    if (keptAs !== undefined) fields.push([keptAs, value])
    else if (name.startsWith(HEADER_PREFIX)) {
      if (history.isCopy && isKept(name)) fields.push(field)
    } else if (purpose === 'dead-letter' || !NOT_FOR_EXECUTION.includes(name)) fields.push(field)
  }
  return fields
}

/** What is no word of the last execution. */
function isKept(name: string): boolean {
  return name.startsWith(`${HEADER_PREFIX}original-`) || KEPT.includes(name)
}

function ownHeaders(
  { delivery, history }: Original,
  purpose: CopyPurpose,
  notes: CopyNotes,
  config: BridgePolicy,
): readonly HeaderField[] {
  const { reason, status, stderr, subject, attempt, durationMs, unread } = notes
  const { exchange, routingKey } = history.origin ?? delivery
  return prefixed({
    attempt,
    reason,
    // A status that could not be read is NaN, for which AMQP has no value.
    status: Number.isInteger(status) ? status : undefined,
    stderr: stderr?.slice(0, MAX_STDERR) || undefined,
    subject,
    unread: unread || undefined,
    script: config.script,
    'daemon-id': config.daemonId,
    queue: config.queue,
    exchange,
    'routing-key': routingKey,
    'duration-ms': durationMs,
    time: new Date().toISOString(),
    'dead-lettered': purpose === 'dead-letter' || undefined,
    'headers-dropped': delivery.defect === undefined ? undefined : true,
  })
}

function brief({ stderr: _, ...notes }: CopyNotes): CopyNotes {
  return { ...notes, reason: notes.reason.slice(0, BRIEF_REASON) }
}

/** Leaves out the largest fields until that is so many bytes less, their names to be told included. */
function withoutLargest(fields: readonly HeaderField[], bytes: number) {
  const sizes = fields.map(([name, value], index) => ({ index, name, size: 1 + name.length + sizeOf(value) }))
  const left = new Set<number>()
  const names: string[] = []
  let excess = bytes + dropped('').join().length
  for (const { index, name, size } of sizes.sort((a, b) => b.size - a.size)) {
    if (excess <= 0) break
    left.add(index)
    names.push(name)
    excess += name.length * 2 + 2 - size
  }
  return { fitting: fields.filter((_, index) => !left.has(index)), names: names.join(', ') }
}

function sizeOf(value: HeaderField[1]): number {
  return value instanceof Uint8Array ? value.length : 9
}

/** @param what all, or the names of some */
function dropped(what: true | string): HeaderField {
  return [`${HEADER_PREFIX}headers-dropped`, what]
}

function prefixed(values: Readonly<Record<string, string | number | boolean | undefined>>): HeaderField[] {
  const fields: HeaderField[] = []
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) fields.push([`${HEADER_PREFIX}${name}`, value])
  }
  return fields
}

/**
 * Without what AMQP has no room for any more: a text that was not UTF-8 has become longer than the 255 bytes of a short string
 * (AMQP 0-9-1, section 4.2.5.3), a timestamp beyond 2^53 was rounded when it was read, the largest to one that is too large.
 */
export function expressible(properties: CopyContent['properties']): CopyContent['properties'] {
  const entries = Object.entries(properties).filter(([, value]) =>
    typeof value === 'string' ? Buffer.byteLength(value) <= 255 : Number.isSafeInteger(value),
  )
  return Object.fromEntries(entries)
}
