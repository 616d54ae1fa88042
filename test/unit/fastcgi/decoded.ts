import { expect } from 'vitest'
import { RecordDecoder } from '../../../src/fastcgi/records.ts'

/** What a decoder says of these chunks: the streams put together, the end, the fault. */
export function decode(...chunks: Buffer[]) {
  return decodeAs(1, ...chunks)
}

/** The same of the request with this id on its connection. */
export function decodeAs(requestId: number, ...chunks: Buffer[]) {
  const seen = { stdout: '', stderr: '', ends: [] as number[][], fault: undefined as string | undefined }
  const decoder = new RecordDecoder(
    {
      stdout: (piece) => {
        expect(piece.length).toBeGreaterThan(0)
        seen.stdout += piece.toString('latin1')
      },
      stderr: (piece) => {
        expect(piece.length).toBeGreaterThan(0)
        seen.stderr += piece.toString('latin1')
      },
      endRequest: (...end) => seen.ends.push(end),
    },
    requestId,
  )
  for (const chunk of chunks) seen.fault = decoder.write(chunk)
  return seen
}

/** A record with any header. */
export function raw(header: number[], content: string | number[] = []): Buffer {
  return Buffer.concat([Buffer.from(header), Buffer.from(content as string)])
}

export const STDOUT = raw([1, 6, 0, 1, 0, 5, 0, 0], 'hello')
export const END = raw([1, 3, 0, 1, 0, 8, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0])
