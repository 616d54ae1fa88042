import { describe, expect, it } from 'vitest'
import { parseResponseHead } from '../../../src/fastcgi/response.ts'

const parse = (text: string) => parseResponseHead(Buffer.from(text, 'latin1'))

describe('a response head', () => {
  it('as php-fpm writes it', () => {
    const stdout =
      'Status: 404 Not Found\r\nX-Powered-By: PHP/8.2\r\nContent-type: text/html\r\n\r\nFile not found.\n'
    const head = parse(stdout)
    expect(head?.status).toBe(404)
    expect(head?.headers).toEqual(
      new Map([
        ['status', ['404 Not Found']],
        ['x-powered-by', ['PHP/8.2']],
        ['content-type', ['text/html']],
      ]),
    )
    expect(stdout.slice(head?.bodyOffset)).toBe('File not found.\n')
  })

  it.each([
    ['CR LF', 'A: 1\r\nB: 2\r\n\r\nbody', 'body'],
    ['LF', 'A: 1\nB: 2\n\nbody', 'body'],
    ['both', 'A: 1\nB: 2\r\n\nbody', 'body'],
    ['an empty line in the body', 'A: 1\nB: 2\n\n\n\nbody', '\n\nbody'],
    ['an empty body', 'A: 1\nB: 2\n\n', ''],
  ])('ends at the first empty line: %s', (_, stdout, body) => {
    const head = parse(stdout)
    expect([...(head?.headers ?? [])]).toEqual([
      ['a', ['1']],
      ['b', ['2']],
    ])
    expect(stdout.slice(head?.bodyOffset)).toBe(body)
  })

  it('may be empty', () => {
    expect(parse('\r\nbody')).toEqual({ status: 200, headers: new Map(), bodyOffset: 2 })
    expect(parse('\nbody')).toEqual({ status: 200, headers: new Map(), bodyOffset: 1 })
  })

  it('keeps repeated headers apart and in order', () => {
    expect(parse('Set-Cookie: a\nSET-COOKIE: b\n\n')?.headers).toEqual(new Map([['set-cookie', ['a', 'b']]]))
  })

  it.each(['__proto__', 'constructor', 'hasownproperty'])('takes a header called %s for a header', (name) => {
    expect(parse(`${name}: x\n\n`)?.headers.get(name)).toEqual(['x'])
  })

  it('keeps bytes beyond ASCII', () => {
    expect(parse('A: \xff\xe4\n\n')?.headers.get('a')).toEqual(['\xff\xe4'])
  })

  it('keeps colons and inner spaces of a value', () => {
    expect(parse('Location:  http://a:1/ b \n\n')?.headers.get('location')).toEqual(['http://a:1/ b'])
  })

  it.each([
    ['nothing', ''],
    ['no empty line', 'A: 1\r\nB: 2\r\n'],
    ['a cut line', 'A: 1\r\nB'],
    ['a line without a colon', 'hello world\n\n'],
    ['a line that begins with a colon', ': x\n\n'],
    ['HTML', '<br />\n<b>Fatal error</b>: boom\n\n'],
    ['binary', '\x01\x06\0\x01\0\n\n'],
  ])('is none: %s', (_, stdout) => {
    expect(parse(stdout)).toBeUndefined()
  })
})

describe('one head after the other', () => {
  const long = 'x'.repeat(10_000)
  const heads: readonly [string, Record<string, string[]>, string][] = [
    ['A: 1\r\n\r\nbody', { a: ['1'] }, 'body'],
    ['A: 1\r\n\r\nanother', { a: ['1'] }, 'another'],
    ['A: 1\r\nB: 2\r\n\r\nbody', { a: ['1'], b: ['2'] }, 'body'],
    ['A: 11\r\n\r\nbody', { a: ['11'] }, 'body'],
    ['\r\nA: 1\r\n\r\n', {}, 'A: 1\r\n\r\n'],
    [`A: ${long}\r\n\r\nbody`, { a: [long] }, 'body'],
  ]

  it.each(heads)('is read for itself: %j', (stdout, headers, body) => {
    for (const [before] of heads) {
      parse(before)
      const head = parse(stdout)
      expect(Object.fromEntries(head?.headers ?? [])).toEqual(headers)
      expect(stdout.slice(head?.bodyOffset)).toBe(body)
    }
  })

  it('is none where it breaks off, whatever came before', () => {
    parse('A: 1\r\n\r\nbody')
    expect(parse('A: 1\r\n')).toBeUndefined()
  })
})

describe('the status', () => {
  it.each([
    ['', 200],
    ['Status: 200\n', 200],
    ['Status: 201 Created\n', 201],
    ['status:503 Service Unavailable\n', 503],
    ['Status: 999\n', 999],
    ['Status: 500 a\nStatus: 200 b\n', 500],
  ])('of %j is %d', (head, status) => {
    expect(parse(`${head}\n`)?.status).toBe(status)
  })

  it.each(['abc', '', '2000', '20', '-200', '2 00', '200OK', '0x200', '+200', '\xa0200x', 'HTTP/1.1 200 OK'])(
    'of "%s" cannot be read',
    (value) => {
      expect(parse(`Status: ${value}\n\n`)?.status).toBeNaN()
    },
  )
})

describe('a hostile head', () => {
  it('of 200 KB takes no longer than its size', () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `X-${index}: ${index}`)
    expect(parse(`${lines.join('\n')}\n\n`)?.headers.size).toBe(20_000)
  })

  it('of a mebibyte of spaces, colons or line ends takes no longer either', () => {
    const mebibyte = 1024 * 1024
    expect(parse(`A: ${' '.repeat(mebibyte)}x\n\n`)?.headers.get('a')).toEqual(['x'])
    expect(parse(`A:${':'.repeat(mebibyte)}\n\n`)?.headers.get('a')?.[0]).toHaveLength(mebibyte)
    expect(parse(`A${' '.repeat(mebibyte)}: x\n\n`)?.headers.get('a')).toEqual(['x'])
    expect(parse('a:\n'.repeat(mebibyte / 4))).toBeUndefined()
  })
})
