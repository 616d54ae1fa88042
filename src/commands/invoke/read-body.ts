import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { BodySource } from '../../config/invoke-config.ts'
import { OptionError } from '../../config/option-error.ts'

/**
 * The message, byte for byte.
 *
 * @param maxBody bytes; no more are read
 * @throws {OptionError} 64 where there is none, 65 where it is larger
 */
export async function readBody(
  source: BodySource,
  maxBody: number,
  input: NodeJS.ReadStream,
): Promise<Buffer> {
  switch (source.kind) {
    case 'argument':
      return Buffer.from(source.body)
    case 'input':
      if (input.isTTY)
        throw new OptionError('no message: give it as an argument, with --file, or on standard input', 64)
      return readAll(input, maxBody, 'standard input')
    case 'file':
      return readFile(source.path, maxBody)
  }
}

async function readFile(path: string, maxBody: number): Promise<Buffer> {
  try {
    // Opening a pipe may have no end, and nothing would end the process meanwhile.
    if (!(await stat(path)).isFile()) throw notAFile(path)
    return await readAll(createReadStream(path), maxBody, path)
  } catch (error) {
    throw error instanceof OptionError ? error : unreadable(path, error as NodeJS.ErrnoException)
  }
}

function notAFile(path: string): OptionError {
  return new OptionError(
    `--file names ${JSON.stringify(path)}, which is no file; what comes from a pipe goes to standard input`,
    64,
  )
}

function unreadable(path: string, { code }: NodeJS.ErrnoException): OptionError {
  const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
  return new OptionError(`--file names ${JSON.stringify(path)}, which ${why}`, 64)
}

async function readAll(stream: AsyncIterable<Buffer>, maxBody: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBody)
      throw new OptionError(
        `${what} has more than the ${maxBody} bytes that --max-body allows: a daemon would dead-letter it`,
        65,
      )
  }
  return Buffer.concat(chunks)
}
