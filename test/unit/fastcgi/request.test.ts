import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RequestEncoder } from '../../../src/fastcgi/request.ts'
import { decodePairs, decodeRecords } from './decode.ts'

const BEGIN = 1
const PARAMS = 4
const STDIN = 5

const bytesOf = (buffers: readonly Buffer[]) => Buffer.concat(buffers)

/** CONTENT_LENGTH with a value of one digit, as a pair. */
const lengthPair = (digit: string) => [14, 1, ...Buffer.from(`CONTENT_LENGTH${digit}`)]

interface Given {
  readonly common?: Record<string, string>
  readonly keepConn?: boolean
  readonly endOfStdin?: boolean
  readonly requestId?: number
}

function encode(params: Record<string, string>, body: Uint8Array, given: Given = {}): readonly Buffer[] {
  const { common = {}, keepConn = false, endOfStdin = true, requestId = 1 } = given
  return new RequestEncoder({ params: common, endOfStdin })
    .encode(params, body)
    .toBuffers(requestId, keepConn)
}

describe('a request', () => {
  it('byte for byte', () => {
    expect([...bytesOf(encode({ A: '1' }, Buffer.from('hi'), { common: { B: '' } }))]).toEqual([
      ...[1, 1, 0, 1, 0, 8, 0, 0, /* role */ 0, 1, /* flags */ 0, 0, 0, 0, 0, 0],
      ...[1, 4, 0, 1, 0, 3, 0, 0, /* B */ 1, 0, 0x42],
      ...[1, 4, 0, 1, 0, 21, 0, 0, /* A=1 */ 1, 1, 0x41, 0x31, ...lengthPair('2')],
      ...[1, 4, 0, 1, 0, 0, 0, 0],
      ...[1, 5, 0, 1, 0, 2, 0, 0, /* hi */ 0x68, 0x69],
      ...[1, 5, 0, 1, 0, 0, 0, 0],
    ])
  })

  it('under any id, and without the end of stdin where that is withheld', () => {
    const given = { common: { B: '' }, requestId: 0x0203, endOfStdin: false }
    expect([...bytesOf(encode({}, Buffer.from('hi'), given))]).toEqual([
      ...[1, 1, 2, 3, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
      ...[1, 4, 2, 3, 0, 3, 0, 0, /* B */ 1, 0, 0x42],
      ...[1, 4, 2, 3, 0, 17, 0, 0, ...lengthPair('2')],
      ...[1, 4, 2, 3, 0, 0, 0, 0],
      ...[1, 5, 2, 3, 0, 2, 0, 0, /* hi */ 0x68, 0x69],
    ])
  })

  it('with nothing in it says so', () => {
    expect([...bytesOf(encode({}, Buffer.alloc(0)))]).toEqual([
      ...[1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
      ...[1, 4, 0, 1, 0, 17, 0, 0, ...lengthPair('0')],
      ...[1, 4, 0, 1, 0, 0, 0, 0],
      ...[1, 5, 0, 1, 0, 0, 0, 0],
    ])
  })

  it.each([
    [false, 0],
    [true, 1],
  ])('keepConn %s is the flag %d', (keepConn, flag) => {
    const [begin] = decodeRecords(bytesOf(encode({}, Buffer.alloc(0), { keepConn })))
    expect([...(begin?.content ?? [])]).toEqual([0, 1, flag, 0, 0, 0, 0, 0])
  })

  it('has the common params first: php-fpm takes the last of two with one name', () => {
    const records = decodeRecords(
      bytesOf(encode({ A: 'request' }, Buffer.alloc(0), { common: { A: 'common' } })),
    )
    expect(
      records.filter(({ type }) => type === PARAMS).flatMap(({ content }) => decodePairs(content)),
    ).toEqual([
      ['A', 'common'],
      ['A', 'request'],
      ['CONTENT_LENGTH', '0'],
    ])
  })

  it.each([
    [0, [0]],
    [1, [1, 0]],
    [65_535, [65_535, 0]],
    [65_536, [65_535, 1, 0]],
    [131_070, [65_535, 65_535, 0]],
    [131_071, [65_535, 65_535, 1, 0]],
  ])('a body of %d bytes goes in stdin records of %j', (length, contents) => {
    const body = Buffer.alloc(length, 'abcdefg')
    const stdin = decodeRecords(bytesOf(encode({}, body))).filter(({ type }) => type === STDIN)
    expect(stdin.map(({ content }) => content.length)).toEqual(contents)
    expect(Buffer.concat(stdin.map(({ content }) => content)).equals(body)).toBe(true)
  })

  it.each([true, false])('up to 64 KiB is one buffer, and so one write (end of stdin: %s)', (endOfStdin) => {
    const encoder = new RequestEncoder({ params: { A: '1' }, endOfStdin })
    // Headers and beginRequest take 16 + 8 + 4 + 8 + 8 bytes, CONTENT_LENGTH 8 + 21, the end of stdin 8.
    const largest = 65_536 - 73 - (endOfStdin ? 8 : 0)
    for (const [length, isOneWrite] of [
      [largest, true],
      [largest + 1, false],
    ] as const) {
      const request = encoder.encode({}, Buffer.alloc(length))
      expect([request.isOneWrite, request.toBuffers(1, false).length === 1]).toEqual([isOneWrite, isOneWrite])
    }
  })

  it('that is large has its body where it was', () => {
    const body = Buffer.alloc(200_000)
    expect(encode({}, body).filter(({ buffer }) => buffer === body.buffer)).toHaveLength(4)
  })

  it('takes a body that is a view into something larger', () => {
    const whole = Buffer.alloc(200_000, 'x').fill('hi', 70_000, 140_000)
    const records = decodeRecords(
      bytesOf(encode({}, new Uint8Array(whole.buffer, whole.byteOffset + 70_000, 70_000))),
    )
    const stdin = records.filter(({ type }) => type === STDIN).map(({ content }) => content)
    expect(Buffer.concat(stdin).equals(whole.subarray(70_000, 140_000))).toBe(true)
  })

  it('with a param that fits into no record is none', () => {
    const large = { A: 'x'.repeat(65_535) }
    expect(() => encode(large, Buffer.alloc(0))).toThrow(RangeError)
    expect(() => new RequestEncoder({ params: large, endOfStdin: true })).toThrow(RangeError)
  })

  it('can be read back, whatever is in it', () => {
    const params = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { noNullPrototype: true })
    fc.assert(
      fc.property(
        params,
        params,
        fc.uint8Array({ maxLength: 300 }),
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 65_535 }),
        (common, own, body, keepConn, endOfStdin, requestId) => {
          const buffers = encode(own, body, { common, keepConn, endOfStdin, requestId })
          const records = decodeRecords(bytesOf(buffers), requestId)
          const types = records.map(({ type, content }) => (content.length === 0 ? -type : type))
          expect(types[0]).toBe(BEGIN)
          // Each stream ends once, with its empty record, if at all.
          expect(types.filter((type) => type < 0)).toEqual(endOfStdin ? [-PARAMS, -STDIN] : [-PARAMS])
          if (endOfStdin) expect(types.at(-1)).toBe(-STDIN)
          const pairs = records
            .filter(({ type }) => type === PARAMS)
            .flatMap(({ content }) => decodePairs(content))
          const length = ['CONTENT_LENGTH', String(body.length)]
          expect(pairs).toEqual([...Object.entries(common), ...Object.entries(own), length])
          const stdin = records.filter(({ type }) => type === STDIN).map(({ content }) => content)
          expect(Buffer.concat(stdin).equals(Buffer.from(body))).toBe(true)
        },
      ),
    )
  })
})

describe('a body in pieces', () => {
  async function stream(pieces: readonly Uint8Array[], endOfStdin: boolean): Promise<Buffer[]> {
    async function* inTurn() {
      yield* pieces
    }
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const encoder = new RequestEncoder({ params: {}, endOfStdin })
    const request = encoder.stream({ A: '1' }, { length, pieces: inTurn() })
    const batches: Buffer[] = []
    for await (const batch of request.toBatches(7, false)) batches.push(Buffer.concat([...batch]))
    return batches
  }

  it.each<[string, number[], number[]]>([
    ['none', [], []],
    ['empty ones, which would end the stream', [0, 0], []],
    ['small ones', [1, 0, 2], [1, 2]],
    ['large ones', [65_536, 131_070], [65_535, 1, 65_535, 65_535]],
  ])('%s', async (_, pieces, contents) => {
    for (const [endOfStdin, end] of [
      [true, [0]],
      [false, []],
    ] as const) {
      const bodies = pieces.map((length) => Buffer.alloc(length))
      const [head, ...rest] = await stream(bodies, endOfStdin)
      expect(decodeRecords(head as Buffer, 7).map(({ type }) => type)).toEqual([BEGIN, PARAMS, PARAMS])
      const lengths = decodeRecords(Buffer.concat(rest), 7).map(({ content }) => content.length)
      expect(lengths).toEqual([...contents, ...end])
    }
  })
})
