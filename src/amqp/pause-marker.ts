import type { ChannelModel, ConfirmChannel } from 'amqplib'
import { PAUSE_SUFFIX, type PauseNote } from '../control/protocol.ts'
import { BrokerError } from './broker-error.ts'
import { isMissing, isStream, markerOf, onMarker, permitted, takeNotes } from './marker-queue.ts'
import { onOwnChannel, onOwnConfirmChannel } from './own-channel.ts'
import { isOver, lastingNote } from './pause-note.ts'
import { plainQueue } from './queue.ts'
import { markerError } from './queue-error.ts'
import { natureOf } from './queue-nature.ts'
import { replyOf } from './reply.ts'
import { exists } from './topology.ts'

/** A marker may be taken away while a note is put into it, and again. */
const PUT_TRIES = 5

/** As we declare it: another note takes the place of the one that is there, at once. */
const ARGUMENTS = { 'x-max-length': 1 }

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
      const notes = await takeNotes(channel, marker)
      channel.nackAll(true)
      note = lastingNote(notes)
    })
  } catch (error) {
    // That it is there counts, whoever may read it.
    const isThere = note !== undefined && error instanceof BrokerError && error.permanent
    if (!isThere) throw error
  }
  return note
}

/**
 * Puts the marker, with a note in place of the one that is there. From its return on, the pause is there until its time is over, or
 * somebody ends it: `endPause` with `onlyIfOver` never takes it away together with an older one.
 *
 * @throws {BrokerError}
 */
export async function putPause(connection: ChannelModel, queue: string, note: PauseNote): Promise<void> {
  const marker = markerOf(queue)
  if (marker === undefined)
    throw unfit(
      `queue "${queue}" cannot be paused: the name of its marker (${PAUSE_SUFFIX}) would have more than 255 bytes`,
    )
  for (let tries = 1; tries <= PUT_TRIES; tries += 1)
    if (await isPut(connection, marker, Buffer.from(JSON.stringify(note)))) return
  throw new BrokerError(
    'UNREACHABLE',
    `queue "${marker}" has gone ${PUT_TRIES} times while a note was put in`,
  )
}

/**
 * Takes the marker away.
 *
 * @param onlyIfOver only where all its notes say that the pause ends by then
 * @returns whether it was there, and is not any more
 * @throws {BrokerError}
 */
export async function endPause(
  connection: ChannelModel,
  queue: string,
  { onlyIfOver }: { readonly onlyIfOver?: Date } = {},
): Promise<boolean> {
  let isGone = false
  try {
    await onMarker(connection, queue, async (channel, marker) => {
      await channel.checkQueue(marker)
      // As long as we have the notes, nobody else ends the pause for the same reason.
      if (onlyIfOver !== undefined && !areOver(await takeNotes(channel, marker), onlyIfOver)) return
      // Somebody may have put another note there meanwhile: it must not go with the marker.
      const ifEmpty = onlyIfOver !== undefined && (await knowsIfEmpty(connection, marker))
      if (ifEmpty === undefined) return
      await permitted(channel.deleteQueue(marker, { ifEmpty }), marker, `configure "${marker}"`)
      isGone = true
    })
  } catch (error) {
    const isEmpty = !(error instanceof BrokerError && replyOf(error.cause)?.code === 406)
    if (isEmpty) throw error
  }
  return isGone
}

function areOver(notes: readonly PauseNote[], at: Date): boolean {
  return notes.length > 0 && notes.every((note) => isOver(note, at.getTime()))
}

/**
 * A quorum queue, which can only be made by hand, closes the connection for being asked.
 *
 * @returns undefined where there is no telling, such as that the marker has just gone
 */
async function knowsIfEmpty(connection: ChannelModel, marker: string): Promise<boolean | undefined> {
  try {
    return (await natureOf(connection, plainQueue(marker, 'classic'), false))?.type === 'classic'
  } catch (error) {
    if (error instanceof BrokerError && !error.permanent) return undefined
    throw error
  }
}

/** @returns whether it is there; false: the marker has gone meanwhile */
async function isPut(connection: ChannelModel, marker: string, body: Buffer): Promise<boolean> {
  // One that somebody has made may be of another kind.
  const wasThere = await exists(connection, plainQueue(marker, 'classic'))
  if (!wasThere) await declare(connection, marker)
  try {
    let came = true
    await onOwnConfirmChannel(connection, async (channel) => {
      channel.on('return', () => {
        came = false
      })
      // Nobody else takes the note that was there for the one that counts, and it goes once the new one is in its place.
      if (wasThere) await takeNotes(channel, marker)
      await permitted(publish(connection, channel, marker, body), marker, 'write "amq\\.default"')
      channel.ackAll()
    })
    return came
  } catch (error) {
    if (isMissing(error)) return false
    if (isStream(error))
      throw unfit(`queue "${marker}" is a stream, which holds no note; resume, and pause again`, error)
    throw wasThere ? markerError(marker, error) : withoutNote(markerError(marker, error))
  }
}

function withoutNote({ code, message, cause }: BrokerError): BrokerError {
  const left = 'the marker is there now, without a note: daemons find it with their next session'
  return new BrokerError(code, `${message}; ${left}`, { cause })
}

async function declare(connection: ChannelModel, marker: string): Promise<void> {
  try {
    await onOwnChannel(connection, (channel) =>
      permitted(
        channel.assertQueue(marker, { durable: true, arguments: ARGUMENTS }),
        marker,
        `configure "${marker}"`,
      ),
    )
  } catch (error) {
    // Somebody else has declared it a moment ago, in his own way.
    if (replyOf(error)?.code !== 406) throw markerError(marker, error)
  }
}

/** Resolves when the broker has it for good. One in alarm takes no messages: that may last for hours. */
async function publish(
  connection: ChannelModel,
  channel: ConfirmChannel,
  marker: string,
  body: Buffer,
): Promise<void> {
  // Whoever waits for a confirm is only told that the channel is closed.
  let refusal: Error | undefined
  channel.once('error', (error: Error) => {
    refusal = error
  })
  let onBlocked = (_: string): void => {}
  const blocked = new Promise<never>((_, reject) => {
    onBlocked = (reason) =>
      reject(new BrokerError('UNANSWERED', `the broker takes no messages at the moment (${reason})`))
  })
  connection.once('blocked', onBlocked)
  const properties = { persistent: true, mandatory: true, contentType: 'application/json' }
  channel.sendToQueue(marker, body, properties)
  try {
    await Promise.race([channel.waitForConfirms(), blocked])
  } catch (error) {
    throw refusal ?? error
  } finally {
    connection.off('blocked', onBlocked)
  }
}

function unfit(text: string, cause?: unknown): BrokerError {
  return new BrokerError('QUEUE_UNFIT', text, { cause })
}
