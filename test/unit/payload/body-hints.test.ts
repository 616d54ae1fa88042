import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { bodyHint } from '../../../src/payload/body-hints.ts'
import { formAtOnce } from '../../support/form-at-once.ts'

const hint = (body: string | Buffer) => bodyHint(Buffer.from(body)) ?? 'none'

describe('a body that is no JSON', () => {
  it.each([
    ['a byte order mark', '\ufeff{"a":1}', 'the bytes EF BB BF'],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), 'UTF-16'],
    ['gzip', gzipSync('{}'), 'compressed'],
    ['a serialized array', 'a:1:{s:1:"a";i:1;}', 'serialized PHP; --payload raw'],
    ['a serialized object', 'O:8:"App\\Test":0:{}', 'serialized PHP'],
    ['a serialized string', 's:1:"a";', 'serialized PHP'],
    ['a serialized float', 'd:-1.5E+25;', 'serialized PHP'],
    ['a serialized null', 'N;', 'serialized PHP'],
    [
      "what Symfony's PhpSerializer makes",
      'O:36:\\"Symfony\\\\Component\\\\Messenger\\\\Envelope\\":2:{',
      'serialized PHP',
    ],
    ['XML', '<?xml version="1.0"?><a/>', 'XML'],
    ['a form', 'number=7&name=a+b', 'a form already'],
    ['a form of an array', 'a[b][]=1', 'a form already'],
    ['a form of an array, escaped', 'a%5Bb%5D=1', 'a form already'],
  ])('%s is named', (_, body, named) => {
    expect(hint(body)).toContain(named)
    expect(() => formAtOnce(Buffer.from(body))).toThrow(hint(body))
  })

  it.each([['text'], ["{'a':1}"], [''], ['{"a=b":1']])('%j could be anything', (body) => {
    expect(hint(body)).toBe('none')
  })
})
