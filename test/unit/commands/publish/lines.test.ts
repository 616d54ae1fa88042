import { describe, expect, it } from 'vitest'
import { splitLines } from '../../../../src/commands/publish/lines.ts'
import { OptionError } from '../../../../src/config/option-error.ts'

async function* chunksOf(...chunks: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

async function linesOf(...chunks: (string | Buffer)[]): Promise<[number, string][]> {
  const lines: [number, string][] = []
  for await (const { number, bytes } of splitLines(chunksOf(...chunks)))
    lines.push([number, bytes.toString('latin1')])
  return lines
}

describe('lines', () => {
  it.each<[string, [number, string][]]>([
    ['', []],
    ['\n\n\r\n', []],
    ['a', [[1, 'a']]],
    ['a\n', [[1, 'a']]],
    [
      'a\nb',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      'a\r\nb\r\n',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      '\n\na\n\nb',
      [
        [3, 'a'],
        [5, 'b'],
      ],
    ],
    ['a\rb\n', [[1, 'a\rb']]],
    ['a\r', [[1, 'a']]],
    ['a\r\r\n', [[1, 'a\r']]],
    [' \n', [[1, ' ']]],
    ['a\0b\xff\n', [[1, 'a\0b\xff']]],
  ])('of %j', async (text, expected) => {
    expect(await linesOf(Buffer.from(text, 'latin1'))).toEqual(expected)
  })

  it('are the same at every split of the stream', async () => {
    const text = '\r\n{"a":1}\r\n\n{"b":"\u00fc"}\n\rend\r\n'
    const bytes = Buffer.from(text)
    const whole = await linesOf(bytes)
    expect(whole).toHaveLength(3)
    for (let split = 0; split <= bytes.length; split += 1) {
      expect(await linesOf(bytes.subarray(0, split), bytes.subarray(split))).toEqual(whole)
    }
    expect(await linesOf(...[...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole)
  })

  it('are read no further than asked for', async () => {
    let read = 0
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        read += 1
        yield Buffer.from('line\n')
      }
    }
    const lines = splitLines(endless())
    await lines.next()
    await lines.next()
    expect(read).toBe(2)
    await lines.return(undefined)
  })

  it('do not outgrow the memory: a line over 128 MiB is refused by its number', async () => {
    const mebibyte = Buffer.alloc(1024 * 1024, 'x')
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('first\n')
      for (;;) yield mebibyte
    }
    const lines = splitLines(endless())
    await lines.next()
    await expect(lines.next()).rejects.toThrow(
      new OptionError('line 2 of the input is longer than 134217728 bytes', 65),
    )
  })

  it('pass on that the stream broke off', async () => {
    async function* breaking(): AsyncGenerator<Buffer> {
      yield Buffer.from('a\nb')
      throw new Error('EIO')
    }
    const lines = splitLines(breaking())
    expect((await lines.next()).value).toMatchObject({ number: 1 })
    await expect(lines.next()).rejects.toThrow('EIO')
  })
})
