import { OptionError } from '../../config/option-error.ts'

const LF = 0x0a
const CR = 0x0d

/** RabbitMQ takes messages of 128 MiB at most (max_message_size before 4.0; less since). */
const MAX_LINE_BYTES = 128 * 1024 * 1024

/** A line as it came, without its line end. */
export interface Line {
  /** From 1. */
  readonly number: number
  readonly bytes: Buffer
}

/**
 * Splits a stream into lines, at LF or CR LF, whatever the chunks; empty lines are left out. Reads on only when
 * the next line is asked for, so memory holds one chunk and one line.
 *
 * @param maxBytes of a line; default: 128 MiB
 * @throws {OptionError} (65) for a line of more than that
 */
export async function* splitLines(
  stream: AsyncIterable<Buffer>,
  maxBytes = MAX_LINE_BYTES,
): AsyncGenerator<Line> {
  let number = 1
  let pending: Buffer[] = []
  let pendingBytes = 0
  for await (const chunk of stream) {
    let start = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      const line = trimEnd(Buffer.concat([...pending, chunk.subarray(start, end)]))
      if (line.length > 0) yield { number, bytes: line }
      number += 1
      pending = []
      pendingBytes = 0
      start = end + 1
    }
    pending.push(chunk.subarray(start))
    pendingBytes += chunk.length - start
    if (pendingBytes > maxBytes) {
      throw new OptionError(`line ${number} of the input is longer than ${maxBytes} bytes`, 65)
    }
  }
  const line = trimEnd(Buffer.concat(pending))
  if (line.length > 0) yield { number, bytes: line }
}

function trimEnd(line: Buffer): Buffer {
  return line.at(-1) === CR ? line.subarray(0, -1) : line
}
