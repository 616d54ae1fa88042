import { setTimeout as pause } from 'node:timers/promises'
import type { Channel, ChannelModel } from 'amqplib'
import { PAUSE_SUFFIX, type PauseNote } from '../control/protocol.ts'
import { onOwnChannel } from './own-channel.ts'
import { noteIn } from './pause-note.ts'
import { markerError } from './queue-error.ts'
import { meaningOf, replyOf } from './reply.ts'

/** Tries to read the note, and milliseconds between them: whoever reads it has it alone for a moment, and all daemons look at once. */
const TRIES = 10
const INTERVAL = 30

/** Bytes of the name of a queue (AMQP 0-9-1, section 4.2.5.3). */
const MAX_NAME = 255

/** Notes that are read: one is all that is needed. */
const MAX_NOTES = 10

/** @returns undefined where its name would be too long: there can be no such queue */
export function markerOf(queue: string): string | undefined {
  const marker = queue + PAUSE_SUFFIX
  return Buffer.byteLength(marker) > MAX_NAME ? undefined : marker
}

/** @throws {BrokerError}; not where the marker is missing */
export async function onMarker(
  connection: ChannelModel,
  queue: string,
  ask: (channel: Channel, marker: string) => Promise<void>,
): Promise<void> {
  const marker = markerOf(queue)
  if (marker === undefined) return
  try {
    await onOwnChannel(connection, (channel) => ask(channel, marker))
  } catch (error) {
    if (isMissing(error)) return
    throw markerError(marker, error)
  }
}

/** They are the channel's alone until it puts them back, at the latest when it closes. */
export async function takeNotes(channel: Channel, marker: string): Promise<readonly PauseNote[]> {
  for (let tries = 1; ; tries += 1) {
    const notes: PauseNote[] = []
    for (let ready = 1; ready > 0 && notes.length < MAX_NOTES; ) {
      const message = await permitted(channel.get(marker), marker, `read "${marker}"`)
      if (message === false) break
      notes.push(noteIn(message.content))
      ready = message.fields.messageCount
    }
    if (notes.length > 0 || tries === TRIES) return notes
    await pause(INTERVAL * (0.5 + Math.random()))
  }
}

/** @param permission what its refusal asks for */
export async function permitted<T>(answer: Promise<T>, marker: string, permission: string): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw replyOf(error)?.code === 403 ? markerError(marker, error, permission) : error
  }
}

export function isMissing(error: unknown): boolean {
  const reply = replyOf(error)
  return reply !== undefined && meaningOf(reply).code === 'QUEUE_MISSING'
}

/** To read from a stream as from a queue closes the connection, each time. */
export function isStream(error: unknown): boolean {
  return replyOf(error)?.code === 540
}
