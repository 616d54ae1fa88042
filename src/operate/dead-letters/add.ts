import { deadCopyOf } from './dead-copy.ts'
import { type Content, contentOfLine } from './letter-text.ts'
import type { Place } from './place.ts'

/** On their way at once, at most. */
const BATCH = { letters: 500, bytes: 16 * 1024 * 1024 }

export interface ImportLine {
  readonly number: number
  readonly bytes: Buffer
}

/** A line that is none of an export; those before it are in the queue. */
export class BadLine extends Error {}

/**
 * Puts exported letters into the queue of dead letters, each confirmed there. They are what they were, but for what would keep them from it,
 * or send them elsewhere, too: `user_id`, `CC` and `BCC` become `x-fpm-bridge-original-*`.
 *
 * @param onAdded hears how many are in
 * @throws {BadLine} or {BrokerError}
 */
export async function add(
  place: Place,
  lines: AsyncIterable<ImportLine>,
  onAdded: (added: number) => void,
  signal: AbortSignal,
): Promise<number> {
  let added = 0
  let [batch, bytes]: [Content[], number] = [[], 0]
  const send = async (): Promise<void> => {
    const sent = batch
    batch = []
    bytes = 0
    await Promise.all(sent.map((content) => place.publisher.publish(deadCopyOf(content, place.queue))))
    added += sent.length
    onAdded(added)
  }
  try {
    for await (const line of lines) {
      if (signal.aborted) break
      batch.push(read(line))
      bytes += line.bytes.length
      if (batch.length >= BATCH.letters || bytes >= BATCH.bytes) await send()
    }
  } finally {
    await send()
  }
  return added
}

function read({ number, bytes }: ImportLine): Content {
  try {
    return contentOfLine(bytes.toString())
  } catch (error) {
    throw new BadLine(`line ${number} is none of an export: ${(error as Error).message}`, { cause: error })
  }
}
