import type { ChannelModel } from 'amqplib'
import { asBrokerError } from './broker-error.ts'
import { onOwnChannel } from './own-channel.ts'
import type { Queue } from './queue.ts'
import { queueError } from './queue-error.ts'
import { replyOf } from './reply.ts'

/*
 * RabbitMQ answers a declare that differs from the queue there is with 406, and names the first thing that differs, with
 * both values (rabbit_amqqueue:assert_equivalence: durable, auto_delete, then the arguments in an order of its own). A
 * passive declare tells nothing.
 */

/** What an existing queue is. */
export interface QueueNature {
  readonly durable: boolean
  readonly autoDelete: boolean
  /** Milliseconds without a consumer after which the broker deletes it; what a policy says is not known. */
  readonly expires: number | undefined
  /** `classic`, `quorum`, `stream`, ...; undefined where the broker's answer was cut off (a name of more than 100 bytes). */
  readonly type: string | undefined
  /** What else it was declared with, as far as the broker compares it before the type. */
  readonly arguments: QueueArguments
}

/**
 * A type that no broker knows: a declare with it is always refused, so that it creates nothing where the queue has just gone, and
 * as the type comes after most arguments, the refusal that names it is the last.
 */
export const NO_TYPE = 'what is it?'

/** More than the arguments that any type has. */
export const MAX_QUESTIONS = 20

type Argument = string | number | boolean
export type QueueArguments = Readonly<Record<string, Argument>>

/**
 * @param declare whether the queue may be declared: then one that is as ours would be costs no refusal (which the broker
 * logs as an error)
 * @returns undefined where the user may not configure the queue, so that the broker does not say
 * @throws {BrokerError}
 */
export async function natureOf(
  connection: ChannelModel,
  queue: Queue,
  declare: boolean,
): Promise<QueueNature | undefined> {
  const { arguments: own } = queue
  let durable = true
  let autoDelete = false
  // Named, since the virtual host's own default type may be any.
  const first = own['x-queue-type'] ?? 'classic'
  let known: Record<string, Argument> = declare
    ? { ...own, 'x-queue-type': first }
    : { 'x-queue-type': NO_TYPE }
  for (let question = 1; question <= MAX_QUESTIONS; question += 1) {
    const refusal = await ask(connection, queue, { durable, autoDelete, arguments: known })
    const { 'x-expires': expires } = known
    const { 'x-queue-type': _, ...others } = known
    const nature = {
      durable,
      autoDelete,
      expires: expires === undefined ? undefined : Number(expires),
      arguments: others,
    }
    if (refusal === 'accepted') return { ...nature, type: String(first) }
    if (refusal === 'forbidden') return undefined
    const { key, value } = refusal
    if (key === 'durable') durable = !durable
    else if (key === 'auto_delete') autoDelete = !autoDelete
    else if (key === 'x-queue-type')
      return { ...nature, type: value === null ? 'classic' : value?.toString() }
    else if (value === null || value === undefined || known[key] === value)
      return { ...nature, type: undefined }
    else known = { ...known, [key]: value }
    known = { ...known, 'x-queue-type': NO_TYPE }
  }
  throw queueError(queue, new Error(`the broker has named ${MAX_QUESTIONS} differences`))
}

/** `key` differs, and is `value` in the queue there is; null: it is not there; undefined: who knows. */
export interface Difference {
  readonly key: string
  readonly value: Argument | null | undefined
}

/**
 * Asks by declaring it so. Where the arguments are such that no broker takes them, nothing is ever declared.
 *
 * @throws {BrokerError} also where there is no such queue
 */
export async function ask(
  connection: ChannelModel,
  queue: Queue,
  asked: { durable: boolean; autoDelete: boolean; arguments: QueueArguments },
): Promise<Difference | 'accepted' | 'forbidden'> {
  try {
    await onOwnChannel(connection, (channel) => channel.assertQueue(queue.name, asked))
    return 'accepted'
  } catch (error) {
    const { code, text = '' } = replyOf(error) ?? {}
    if (code === 403) return 'forbidden'
    // A queue that has gone since it was looked for is none that somebody must change.
    if (code === 406 && text.includes('unsupported queue type'))
      throw asBrokerError(new Error('it has gone'), `the look at queue "${queue.name}"`)
    const difference = code === 406 ? differenceOf(text) : undefined
    if (difference === undefined) throw queueError(queue, error)
    return difference
  }
}

/** What a 406 says of it. Where an argument was given with another value, the types are left out. */
export function differenceOf(text: string): Difference | undefined {
  const key = /inequivalent arg '([^']+)'/.exec(text)?.[1]
  if (key === undefined) return undefined
  const current = /but current is (none|(?:the value )?'(.*?)'(?: of type '(\w+)')?)$/s.exec(text)
  if (current === null) return { key, value: undefined }
  const [, all, value = '', type = 'longstr'] = current
  return { key, value: all === 'none' ? null : argument(value, type) }
}

function argument(value: string, type: string): Argument | undefined {
  if (type === 'longstr') return value
  if (type === 'bool') return value === 'true'
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : undefined
}
