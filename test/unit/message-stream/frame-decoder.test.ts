import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameDecoder } from '../../../src/message-stream/frame-decoder.ts'

const NONCE = '9f3c01d27ab845e6b0c2f1938d64ea57'

interface Frame {
  readonly type: string
  readonly sequence: number
  readonly content: string
}

function encode({ type, sequence, content }: Frame): Buffer {
  const bytes = Buffer.from(content, 'latin1')
  const header = Buffer.alloc(9)
  header.write(type, 'latin1')
  header.writeUInt32BE(sequence, 1)
  header.writeUInt32BE(bytes.length, 5)
  return Buffer.concat([Buffer.from(NONCE), header, bytes])
}

/** Decodes a stream that comes in these pieces, whose memory is used again by the next. */
function decode(pieces: readonly Buffer[], maxContent = 1_000_000) {
  const frames: (Frame & { truncated: boolean })[] = []
  let stray = ''
  const decoder = new FrameDecoder(NONCE, maxContent, {
    frame: (type, sequence, content, truncated) =>
      frames.push({ type, sequence, content: content.toString('latin1'), truncated }),
    stray: (piece) => {
      stray += piece.toString('latin1')
    },
  })
  for (const piece of pieces) {
    const shared = Buffer.from(piece)
    decoder.write(shared)
    shared.fill(0)
  }
  return { frames, stray }
}

function cutAt(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [
    0,
    ...[...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b),
    whole.length,
  ]
  return at
    .slice(1)
    .map((end, index) => whole.subarray(at[index], end))
    .filter((piece) => piece.length > 0)
}

const latin1 = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const frame = fc.record({
  type: fc.constantFrom('H', 'A', 'Q', 'E'),
  sequence: fc.nat(2 ** 32 - 1),
  content: latin1,
})
/** Somebody may print a part of the nonce. */
const print = fc.oneof(
  latin1,
  fc.nat(31).map((length) => NONCE.slice(0, length)),
)

describe('frames of a worker', () => {
  it('are found wherever the stream is cut, between whatever is printed', () => {
    const parts = fc.array(fc.record({ printed: print, frame }), { maxLength: 8 })
    fc.assert(
      fc.property(parts, fc.array(fc.nat(10_000)), (all, cuts) => {
        const whole = Buffer.concat(
          all.flatMap((part) => [Buffer.from(part.printed, 'latin1'), encode(part.frame)]),
        )
        const { frames, stray } = decode(cutAt(whole, cuts))
        expect(frames).toEqual(all.map((part) => ({ ...part.frame, truncated: false })))
        expect(stray).toBe(all.map(({ printed }) => printed).join(''))
      }),
    )
  })

  it('are cut where their content is too long, and the next one is found', () => {
    const whole = Buffer.concat([
      encode({ type: 'A', sequence: 1, content: 'x'.repeat(5_000) }),
      encode({ type: 'A', sequence: 2, content: 'y' }),
    ])
    for (const size of [7, 1_000, 100_000]) {
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
        whole.subarray(index * size, (index + 1) * size),
      )
      expect(decode(pieces, 100).frames).toEqual([
        { type: 'A', sequence: 1, content: 'x'.repeat(100), truncated: true },
        { type: 'A', sequence: 2, content: 'y', truncated: false },
      ])
    }
  })

  it('are found behind a nonce that somebody has printed', () => {
    const dump = `FPM_BRIDGE_NONCE=${NONCE}\nFPM_BRIDGE_LEASE=50\n"${NONCE}", '${NONCE}'`
    const answer = { type: 'A', sequence: 1, content: 'y' }
    const whole = Buffer.concat([Buffer.from(dump), encode(answer)])
    for (const size of [1, 40, 1_000]) {
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
        whole.subarray(index * size, (index + 1) * size),
      )
      expect(decode(pieces)).toEqual({ frames: [{ ...answer, truncated: false }], stray: dump })
    }
  })
})
