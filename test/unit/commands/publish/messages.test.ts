import { describe, expect, it } from 'vitest'
import { countOf, jsonFault, readMessages } from '../../../../src/commands/publish/messages.ts'
import type { MessageSource } from '../../../../src/config/publish-config.ts'

async function* input(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text)
}

async function messagesOf(source: MessageSource, text = ''): Promise<[string, string][]> {
  const messages: [string, string][] = []
  for await (const { label, body } of readMessages(source, input(text)))
    messages.push([label, body.toString()])
  return messages
}

describe('messages', () => {
  it('from arguments', async () => {
    const source: MessageSource = { kind: 'arguments', bodies: ['a', '', 'ü{n}'] }
    expect(countOf(source)).toBe(3)
    expect(await messagesOf(source)).toEqual([
      ['message 1', 'a'],
      ['message 2', ''],
      ['message 3', 'ü{n}'],
    ])
  })

  it('from a template', async () => {
    const source: MessageSource = { kind: 'template', body: '{"a":"{n}","b":{n}}', count: 2 }
    expect(countOf(source)).toBe(2)
    expect(await messagesOf(source)).toEqual([
      ['message 1', '{"a":"1","b":1}'],
      ['message 2', '{"a":"2","b":2}'],
    ])
  })

  it('from a template are made when asked for', async () => {
    const endless = readMessages({ kind: 'template', body: 'x', count: Number.MAX_SAFE_INTEGER }, input(''))
    expect((await endless.next()).value).toMatchObject({ label: 'message 1' })
    await endless.return(undefined)
  })

  it('from lines, called by their place in the input', async () => {
    const source: MessageSource = { kind: 'lines' }
    expect(countOf(source)).toBeUndefined()
    expect(await messagesOf(source, '{}\n\n[]\n')).toEqual([
      ['line 1', '{}'],
      ['line 3', '[]'],
    ])
  })
})

describe('a body that is not what its content type says', () => {
  const fault = (contentType: string | undefined, body: string | Buffer) =>
    jsonFault(contentType, Buffer.from(body))

  it.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json ;a=b',
    'application/ld+json',
  ])('%s is checked', (contentType) => {
    expect(fault(contentType, '{"a":[1,null]}')).toBeUndefined()
    expect(fault(contentType, '{a:1}')).toBeDefined()
  })

  it.each([
    'text/plain',
    'application/jsonp',
    'application/octet-stream; x=application/json',
    'text/json',
    '',
    undefined,
  ])('%s is not checked', (contentType) => {
    expect(fault(contentType, '{a:1}')).toBeUndefined()
  })

  it('for lack of UTF-8', () => {
    expect(fault('application/json', Buffer.from([0x22, 0xff, 0x22]))).toBe('it is not valid UTF-8')
  })

  it('for its byte order mark, which json_decode refuses', () => {
    expect(fault('application/json', '\ufeff{}')).toBeDefined()
  })

  it.each(['', '{', '{"a":1}}', '[1,]', "{'a':1}", '\n\n\n{x\n', '\u001b[31m', '{\r\n"a"\r\n}x'])(
    '%j, in one line that a terminal can show',
    (body) => {
      const reason = fault('application/json', body)
      expect(reason).toBeDefined()
      expect(reason).not.toMatch(/\p{Cc}/u)
    },
  )
})
