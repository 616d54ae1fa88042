import { setTimeout as pause } from 'node:timers/promises'
import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib'
import { channelLimit, isChannelLimit, withDeadline } from './broker-error.ts'
import { RPC_TIMEOUT, reasonOf } from './connection.ts'

/** Milliseconds that a question waits for a channel where the connection has as many as the broker allows, and between two looks. */
const ROOM_TIMEOUT = 2_000
const ROOM_INTERVAL = 20

/** A refused method closes its channel, so each question gets one of its own. */
export function onOwnChannel(
  connection: ChannelModel,
  ask: (channel: Channel) => Promise<unknown>,
): Promise<void> {
  return onChannel(connection, () => connection.createChannel(), ask)
}

/** The same, with confirms. */
export function onOwnConfirmChannel(
  connection: ChannelModel,
  ask: (channel: ConfirmChannel) => Promise<unknown>,
): Promise<void> {
  return onChannel(connection, () => connection.createConfirmChannel(), ask)
}

async function onChannel<C extends Channel>(
  connection: ChannelModel,
  open: () => Promise<C>,
  ask: (channel: C) => Promise<unknown>,
): Promise<void> {
  const opening = whenThereIsRoom(open)
  try {
    const channel = await withDeadline(opening, RPC_TIMEOUT, 'channel.open')
    channel.on('error', () => {})
    await withDeadline(ask(channel), RPC_TIMEOUT, 'queue.declare')
    await withDeadline(channel.close(), RPC_TIMEOUT, 'channel.close')
  } catch (error) {
    // A broker in alarm may answer hours later, and channels that stay open are at some time all that a connection has.
    opening.then((channel) => channel.close()).catch(() => {})
    throw isChannelLimit(error) ? channelLimit(error) : reasonOf(connection, error)
  }
}

/** Many who share the connection may ask at the same time, and be done in a moment. */
async function whenThereIsRoom<C extends Channel>(open: () => Promise<C>): Promise<C> {
  const end = performance.now() + ROOM_TIMEOUT
  for (;;) {
    try {
      return await open()
    } catch (error) {
      if (!isChannelLimit(error) || performance.now() >= end) throw error
      await pause(ROOM_INTERVAL)
    }
  }
}
