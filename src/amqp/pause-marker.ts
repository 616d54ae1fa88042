import type { Channel, ChannelModel } from 'amqplib'
import { PAUSE_SUFFIX, type PauseNote } from '../control/protocol.ts'
import { meaningOf, replyOf } from './reply.ts'
import { onOwnChannel, queueError } from './topology.ts'

/** STUB until the branch that owns this file brings it. */
export async function lookForPause(connection: ChannelModel, queue: string): Promise<PauseNote | undefined> {
  let note: PauseNote | undefined
  await ask(connection, queue, async (channel, name) => {
    const { messageCount } = await channel.checkQueue(name)
    note = {}
    if (messageCount === 0) return
    const message = await channel.get(name)
    if (message === false) return
    channel.nack(message)
    try {
      note = JSON.parse(message.content.toString()) as PauseNote
    } catch {}
  })
  return note
}

export async function endPause(
  connection: ChannelModel,
  queue: string,
  _: { readonly onlyIfOver?: Date } = {},
): Promise<boolean> {
  await ask(connection, queue, (channel, name) => channel.deleteQueue(name))
  return true
}

async function ask(
  connection: ChannelModel,
  queue: string,
  what: (channel: Channel, name: string) => Promise<unknown>,
) {
  const name = queue + PAUSE_SUFFIX
  try {
    await onOwnChannel(connection, (channel) => what(channel, name))
  } catch (error) {
    const reply = replyOf(error)
    if (reply !== undefined && meaningOf(reply).code === 'QUEUE_MISSING') return
    throw queueError({ name, arguments: {}, exact: false }, error)
  }
}
