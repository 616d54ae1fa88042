import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RequestEncoder, streamStdin } from '../../../src/fastcgi/request.ts'
import { decodePairs, decodeRecords } from './decode.ts'

const BEGIN = 1
const PARAMS = 4
const STDIN = 5

const bytesOf = (buffers: readonly Buffer[]) => Buffer.concat(buffers)

function encode(params: Record<string, string>, body: Uint8Array, common: Record<string, string> = {}) {
  return new RequestEncoder(common).encode(params, body, false)
}

describe('a request', () => {
  it('byte for byte', () => {
    expect([...bytesOf(encode({ A: '1' }, Buffer.from('hi'), { B: '' }))]).toEqual([
      ...[1, 1, 0, 1, 0, 8, 0, 0, /* role */ 0, 1, /* flags */ 0, 0, 0, 0, 0, 0],
      ...[1, 4, 0, 1, 0, 3, 0, 0, /* B */ 1, 0, 0x42],
      ...[1, 4, 0, 1, 0, 4, 0, 0, /* A=1 */ 1, 1, 0x41, 0x31],
      ...[1, 4, 0, 1, 0, 0, 0, 0],
      ...[1, 5, 0, 1, 0, 2, 0, 0, /* hi */ 0x68, 0x69],
      ...[1, 5, 0, 1, 0, 0, 0, 0],
    ])
  })

  it('with nothing in it: three records, two of them empty', () => {
    expect([...bytesOf(encode({}, Buffer.alloc(0)))]).toEqual([
      ...[1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
      ...[1, 4, 0, 1, 0, 0, 0, 0],
      ...[1, 5, 0, 1, 0, 0, 0, 0],
    ])
  })

  it.each([
    [false, 0],
    [true, 1],
  ])('keepConn %s is the flag %d', (keepConn, flag) => {
    const [begin] = decodeRecords(bytesOf(new RequestEncoder({}).encode({}, Buffer.alloc(0), keepConn)))
    expect([...(begin?.content ?? [])]).toEqual([0, 1, flag, 0, 0, 0, 0, 0])
  })

  it('has the common params first: php-fpm takes the last of two with one name', () => {
    const records = decodeRecords(bytesOf(encode({ A: 'request' }, Buffer.alloc(0), { A: 'common' })))
    expect(
      records.filter(({ type }) => type === PARAMS).flatMap(({ content }) => decodePairs(content)),
    ).toEqual([
      ['A', 'common'],
      ['A', 'request'],
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

  it('that is small is one buffer, and so one write', () => {
    expect(encode({ A: '1' }, Buffer.alloc(60_000))).toHaveLength(1)
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
    expect(() => new RequestEncoder(large)).toThrow(RangeError)
  })

  it('can be read back, whatever is in it', () => {
    const params = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { noNullPrototype: true })
    fc.assert(
      fc.property(
        params,
        params,
        fc.uint8Array({ maxLength: 300 }),
        fc.boolean(),
        (common, own, body, keep) => {
          const records = decodeRecords(bytesOf(new RequestEncoder(common).encode(own, body, keep)))
          const types = records.map(({ type, content }) => (content.length === 0 ? -type : type))
          expect(types[0]).toBe(BEGIN)
          // Each stream ends once, with its empty record.
          expect(types.filter((type) => type < 0)).toEqual([-PARAMS, -STDIN])
          expect(types.at(-1)).toBe(-STDIN)
          const pairs = records
            .filter(({ type }) => type === PARAMS)
            .flatMap(({ content }) => decodePairs(content))
          expect(pairs).toEqual([...Object.entries(common), ...Object.entries(own)])
          const stdin = records.filter(({ type }) => type === STDIN).map(({ content }) => content)
          expect(Buffer.concat(stdin).equals(Buffer.from(body))).toBe(true)
        },
      ),
    )
  })
})

describe('a body in pieces', () => {
  async function stream(pieces: readonly Uint8Array[]): Promise<Buffer[]> {
    async function* body() {
      yield* pieces
    }
    const batches: Buffer[] = []
    for await (const batch of streamStdin([Buffer.from('he'), Buffer.from('ad')], body()))
      batches.push(Buffer.concat([...batch]))
    return batches
  }

  it.each<[string, number[], number[]]>([
    ['none', [], [0]],
    ['empty ones, which would end the stream', [0, 0], [0]],
    ['small ones', [1, 0, 2], [1, 2, 0]],
    ['large ones', [65_536, 131_070], [65_535, 1, 65_535, 65_535, 0]],
  ])('%s', async (_, pieces, contents) => {
    const [head, ...rest] = await stream(pieces.map((length) => Buffer.alloc(length)))
    expect(head?.toString()).toBe('head')
    expect(decodeRecords(Buffer.concat(rest)).map(({ content }) => content.length)).toEqual(contents)
  })
})
