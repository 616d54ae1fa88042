import type { ChannelModel } from 'amqplib'
import { onOwnChannel } from './own-channel.ts'
import type { Queue } from './queue.ts'
import { consumeError, queueError } from './queue-error.ts'
import {
  ask,
  type Difference,
  MAX_QUESTIONS,
  NO_TYPE,
  type QueueArguments,
  type QueueNature,
} from './queue-nature.ts'
import { replyOf } from './reply.ts'

/*
 * What can be found out of a queue, and of what a user may do with it, without a change to anything: nothing is declared, published or
 * taken. RabbitMQ looks at rights first and at arguments next, so a request with an argument that it never takes tells of the rights
 * (rabbit_channel: queue.declare, basic.consume). It logs each refusal as an error of the channel.
 */

/** Those of a quorum queue that RabbitMQ compares after the type. */
const LATER_ARGUMENTS = ['x-delivery-limit', 'x-message-ttl'] as const

/** An argument that is no number, where there has to be one. */
const NO_NUMBER = 'what is it?'

/**
 * Whether the user may declare a queue that is not there.
 *
 * @returns why not, in the broker's words; undefined where it may
 * @throws {BrokerError}
 */
export async function refusalToDeclare(connection: ChannelModel, queue: Queue): Promise<string | undefined> {
  const asked = { ...queue.arguments, 'x-queue-type': NO_TYPE }
  try {
    await onOwnChannel(connection, (channel) =>
      channel.assertQueue(queue.name, { durable: true, arguments: asked }),
    )
  } catch (error) {
    const { code, text = '' } = replyOf(error) ?? {}
    if (code === 403) return text
    if (code === 406) return undefined
    throw queueError(queue, error)
  }
  return undefined
}

/**
 * Whether the user may consume from a queue, also from one that is not there yet.
 *
 * @returns why not, in the broker's words; undefined where it may
 * @throws {BrokerError}
 */
export async function refusalToConsume(connection: ChannelModel, queue: string): Promise<string | undefined> {
  try {
    await onOwnChannel(connection, (channel) =>
      channel.consume(queue, () => {}, { arguments: { 'x-priority': NO_NUMBER } }),
    )
  } catch (error) {
    const { code, text = '' } = replyOf(error) ?? {}
    if (code === 403) return text
    if (code === 404 || code === 406) return undefined
    throw consumeError(queue, error)
  }
  return undefined
}

/**
 * All arguments of a queue that exists, as far as the broker tells them.
 *
 * @throws {BrokerError}
 */
export async function argumentsOf(
  connection: ChannelModel,
  queue: Queue,
  nature: QueueNature,
): Promise<QueueArguments> {
  const { durable, autoDelete, type } = nature
  if (type !== 'quorum') return nature.arguments
  let known: QueueArguments = { ...nature.arguments, 'x-queue-type': type }
  const left = new Set<string>(LATER_ARGUMENTS)
  for (let question = 1; left.size > 0 && question <= MAX_QUESTIONS; question += 1) {
    const unknown = Object.fromEntries([...left].map((key) => [key, NO_NUMBER]))
    const answer = await ask(connection, queue, { durable, autoDelete, arguments: { ...known, ...unknown } })
    if (typeof answer === 'string' || answer.value === undefined) break
    const { key, value } = answer
    // Of two that differ, RabbitMQ leaves the types out.
    if (value !== null) known = { ...known, [key]: left.has(key) ? Number(value) : value }
    left.delete(key)
  }
  const { 'x-queue-type': _, ...others } = known
  return others
}

/**
 * What differs in a queue that must have these arguments, and exists.
 *
 * @returns undefined where nothing does; `unknown` where the user may not ask, or the broker's answer is cut off
 * @throws {BrokerError}
 */
export async function differenceFrom(
  connection: ChannelModel,
  queue: Queue,
): Promise<Difference | 'unknown' | undefined> {
  // The type is compared in the middle: one that is none, and then a time that is none.
  const questions = [
    { key: 'x-queue-type', arguments: { ...queue.arguments, 'x-queue-type': NO_TYPE } },
    { key: 'x-message-ttl', arguments: { ...queue.arguments, 'x-message-ttl': NO_NUMBER } },
  ]
  for (const { key, arguments: asked } of questions) {
    const answer = await ask(connection, queue, { durable: true, autoDelete: false, arguments: asked })
    if (typeof answer === 'string') return 'unknown'
    if (answer.key !== key) return answer
    if (answer.value === undefined) return 'unknown'
    // Where both have a value, RabbitMQ leaves the types out.
    if (String(answer.value) !== String(queue.arguments[key])) return answer
  }
  return undefined
}
