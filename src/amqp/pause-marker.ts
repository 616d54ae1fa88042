import { setTimeout as pause } from 'node:timers/promises'
import type { Channel, ChannelModel, GetMessage } from 'amqplib'
import { PAUSE_SUFFIX, type PauseNote } from '../control/protocol.ts'
import { BrokerError } from './broker-error.ts'
import { meaningOf, replyOf } from './reply.ts'
import { exists, markerError, onOwnChannel, plainQueue } from './topology.ts'

/** Tries to read the note, and milliseconds between them: whoever reads it has it alone for a moment, and all daemons look at once. */
const TRIES = 5
const INTERVAL = 30

/** Bytes of the name of a queue (AMQP 0-9-1, section 4.2.5.3). */
const MAX_NAME = 255

/** Bytes of a note that are read. */
const MAX_NOTE = 4_096

/**
 * Looks for the marker beside a queue.
 *
 * @returns undefined where the queue is not paused; `{}` where its marker has no note that can be read
 * @throws {BrokerError}
 */
export async function lookForPause(connection: ChannelModel, queue: string): Promise<PauseNote | undefined> {
  let note: PauseNote | undefined
  try {
    await onMarker(connection, queue, async (channel, marker) => {
      await channel.checkQueue(marker)
      note = {}
      note = await readNote(channel, marker)
    })
  } catch (error) {
    // That it is there counts, whoever may read it.
    const isThere = note !== undefined && error instanceof BrokerError && error.permanent
    if (!isThere) throw error
  }
  return note
}

/**
 * Puts the marker, or another note into the one that is there. Whoever reads a note has it alone for that moment; so the old one is
 * taken out before the new one counts, and no two operators take each other's.
 *
 * @throws {BrokerError}
 */
export async function putPause(connection: ChannelModel, queue: string, note: PauseNote): Promise<void> {
  const marker = queue + PAUSE_SUFFIX
  if (Buffer.byteLength(marker) > MAX_NAME)
    throw new BrokerError(
      'QUEUE_UNFIT',
      `queue "${queue}" cannot be paused: its name is too long for a marker`,
    )
  try {
    // One that somebody has made may have other arguments.
    if (!(await exists(connection, plainQueue(marker, 'classic'))))
      await onOwnChannel(connection, (channel) => channel.assertQueue(marker, { durable: true }))
    await onOwnChannel(connection, async (channel) => {
      const former = await takeNote(channel, marker)
      const { messageCount } = await channel.checkQueue(marker)
      for (let left = messageCount; left > 0; left -= 1) await channel.get(marker, { noAck: true })
      channel.sendToQueue(marker, Buffer.from(JSON.stringify(note)), {
        persistent: true,
        contentType: 'application/json',
      })
      // The broker takes what comes on a channel in turn: with the answer to this, the note is in the queue.
      await channel.checkQueue(marker)
      if (former !== false) channel.ack(former)
    })
  } catch (error) {
    throw error instanceof BrokerError ? error : markerError(marker, error)
  }
}

/**
 * Takes the marker away.
 *
 * @param onlyIfOver only where its note says that it ends by then
 * @returns whether it was there, and is not any more
 * @throws {BrokerError}
 */
export async function endPause(
  connection: ChannelModel,
  queue: string,
  { onlyIfOver }: { readonly onlyIfOver?: Date } = {},
): Promise<boolean> {
  let isGone = false
  await onMarker(connection, queue, async (channel, marker) => {
    // As long as we have it, nobody puts another one in its place.
    const message = await takeNote(channel, marker)
    const { until } = noteIn(message)
    if (onlyIfOver !== undefined && !(until !== undefined && Date.parse(until) <= onlyIfOver.getTime())) {
      if (message !== false) channel.nack(message)
      return
    }
    await channel.checkQueue(marker)
    await channel.deleteQueue(marker)
    isGone = true
  })
  return isGone
}

/** It stays there, for others to read. */
async function readNote(channel: Channel, marker: string): Promise<PauseNote> {
  const message = await takeNote(channel, marker)
  if (message !== false) channel.nack(message)
  return noteIn(message)
}

/** Nobody else has it until it is acked, or put back. @returns false where there is none, or somebody keeps it */
async function takeNote(channel: Channel, marker: string): Promise<GetMessage | false> {
  for (let tries = 1; ; tries += 1) {
    const message = await channel.get(marker)
    if (message !== false || tries === TRIES) return message
    await pause(INTERVAL * (0.5 + Math.random()))
  }
}

function noteIn(message: GetMessage | false): PauseNote {
  if (message === false || message.content.length > MAX_NOTE) return {}
  try {
    const value: unknown = JSON.parse(message.content.toString())
    if (typeof value !== 'object' || value === null) return {}
    const { by, at, reason, until } = value as Readonly<Record<string, unknown>>
    return Object.fromEntries(
      Object.entries({ by, at, reason, until }).filter(([, text]) => typeof text === 'string'),
    )
  } catch {
    return {}
  }
}

async function onMarker(
  connection: ChannelModel,
  queue: string,
  ask: (channel: Channel, marker: string) => Promise<void>,
): Promise<void> {
  const name = queue + PAUSE_SUFFIX
  // There can be no such queue: it is never paused.
  if (Buffer.byteLength(name) > MAX_NAME) return
  try {
    await onOwnChannel(connection, (channel) => ask(channel, name))
  } catch (error) {
    const reply = replyOf(error)
    if (reply !== undefined && meaningOf(reply).code === 'QUEUE_MISSING') return
    throw markerError(name, error)
  }
}
