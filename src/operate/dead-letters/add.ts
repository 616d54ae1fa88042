import { BrokerError } from '../../amqp/broker-error.ts'
import { ALL_LINES, hasLine, type LineRange, linesFrom, lineText } from '../../config/line-ranges.ts'
import { deadCopyOf } from './dead-copy.ts'
import { type Content, contentOfLine } from './letter-text.ts'
import type { Place } from './place.ts'

/** On their way at once, at most. */
const BATCH = { letters: 500, bytes: 16 * 1024 * 1024 }

export interface ImportLine {
  readonly number: number
  readonly bytes: Buffer
}

/** A line that is none of an export, or one that is not there. */
export class BadLine extends Error {}

export interface Added {
  /** Confirmed in the queue. */
  readonly count: number
  /** Lines that are not, or not for certain: who goes on with these, and no others, has each letter once. */
  readonly left: readonly LineRange[]
  /** Of those, the ones that may be in the queue all the same. */
  readonly unsure: readonly LineRange[]
  /** What has ended it before the last line. */
  readonly fault: unknown
}

interface Sendable {
  readonly number: number
  readonly content: Content
}

/**
 * Puts exported letters into the queue of dead letters, each confirmed there. They are what they were, but for what deadCopyOf changes. With
 * the first that cannot be put there it ends; others that were on their way then may be in.
 *
 * @param chosen the lines that are meant; nothing is read behind the last of them, and each range must have one
 */
export async function add(
  place: Place,
  lines: AsyncIterable<ImportLine>,
  chosen: readonly LineRange[],
  signal: AbortSignal,
): Promise<Added> {
  const adding = new Adding(place)
  const last = chosen.at(-1)?.to ?? 0
  /** Ranges that have had no line yet. */
  const unmet = new Set(chosen === ALL_LINES ? [] : chosen)
  /** The first line that nothing was done with. */
  let next = 1
  let isOver = true
  let fault: unknown
  try {
    for await (const { number, bytes } of lines) {
      next = number
      if (number > last) break
      isOver = !adding.hasFailed
      if (signal.aborted || !isOver) break
      if (hasLine(chosen, number)) await adding.add(read(number, bytes), bytes.length)
      for (const range of unmet) if (hasLine([range], number)) unmet.delete(range)
      next = number + 1
      // More may come late, or never.
      if (number === last) break
    }
  } catch (error) {
    isOver = false
    if (!signal.aborted) fault = error
  }
  if (signal.aborted) isOver = false
  await adding.send()
  if (isOver && unmet.size > 0) fault = new BadLine(`there are no lines ${lineText([...unmet])}`)
  const rest = isOver ? [] : linesFrom(chosen, next)
  const { count, left, unsure } = adding
  return { count, left: [...left, ...rest], unsure, fault: adding.fault ?? fault }
}

class Adding {
  count = 0
  readonly left: LineRange[] = []
  readonly unsure: LineRange[] = []
  fault: unknown
  readonly #place: Place
  #batch: Sendable[] = []
  #bytes = 0

  constructor(place: Place) {
    this.#place = place
  }

  get hasFailed(): boolean {
    return this.left.length > 0
  }

  async add(line: Sendable, bytes: number): Promise<void> {
    this.#batch.push(line)
    this.#bytes += bytes
    if (this.#batch.length >= BATCH.letters || this.#bytes >= BATCH.bytes) await this.send()
  }

  async send(): Promise<void> {
    const { publisher, queue } = this.#place
    const sent = this.#batch.splice(0)
    this.#bytes = 0
    const outcomes = await Promise.allSettled(
      sent.map(({ content }) => publisher.publish(deadCopyOf(content, queue))),
    )
    for (const [index, outcome] of outcomes.entries()) {
      const { number } = sent[index] as Sendable
      if (outcome.status === 'fulfilled') this.count += 1
      else this.#fail({ from: number, to: number }, outcome.reason)
    }
  }

  #fail(line: LineRange, reason: unknown): void {
    this.left.push(line)
    if (reason instanceof BrokerError && reason.unsure) this.unsure.push(line)
    this.fault ??= reason
  }
}

function read(number: number, bytes: Buffer): Sendable {
  try {
    return { number, content: contentOfLine(bytes) }
  } catch (error) {
    throw new BadLine(`line ${number} is none of an export: ${(error as Error).message}`, { cause: error })
  }
}
