import { describe, expect, it } from 'vitest'
import { type Given, publish, refusal } from '../../support/given.ts'

describe('publish', () => {
  it('reads lines of standard input unless told otherwise', () => {
    expect(publish()).toMatchObject({
      source: { kind: 'lines' },
      properties: { contentType: 'application/json', headers: {} },
      verbose: false,
    })
  })

  it('takes messages as arguments, an empty one too', () => {
    expect(publish({}, '{}', '').source).toEqual({ kind: 'arguments', bodies: ['{}', ''] })
  })

  it('makes messages from a template', () => {
    expect(publish({ body: '{n}', count: '3' }).source).toEqual({ kind: 'template', body: '{n}', count: 3 })
    expect(publish({ body: '' }).source).toEqual({ kind: 'template', body: '', count: 1 })
  })

  it('sets properties and headers, the last of one name', () => {
    const { properties } = publish({
      property: ['message_id=1', 'message_id=2', 'priority=3'],
      header: ['tenant=a', '__proto__=b', 'tenant=c'],
      'content-type': 'text/plain',
    })
    expect(properties).toMatchObject({ messageId: '2', priority: 3, contentType: 'text/plain' })
    expect(Object.entries(properties.headers ?? {})).toEqual([
      ['tenant', 'c'],
      ['__proto__', 'b'],
    ])
  })

  it('waits for answers where they come to it, and can be told apart', () => {
    const mine = { 'wait-reply': '1s', property: 'correlation_id=1' }
    expect(publish()).toMatchObject({ waitReply: undefined })
    expect(publish({ 'wait-reply': '1s' }, '{}', '{}')).toMatchObject({ waitReply: 1_000 })
    expect(publish(mine, '{}')).toMatchObject({ properties: { correlationId: '1' } })
    expect(refusal(() => publish(mine, '{}', '{}'))).toEqual([
      '--wait-reply with --property correlation_id takes one message: answers are told apart by it',
      64,
    ])
    expect(refusal(() => publish({ 'wait-reply': '1s', property: 'reply_to=x' }, '{}'))).toEqual([
      '--wait-reply cannot be given together with --property reply_to: answers come to the command',
      64,
    ])
  })

  it.each<[Given, readonly string[], string]>([
    [{ count: '3' }, [], '--count needs --body'],
    [{ count: '3' }, ['{}'], '--count needs --body'],
    [{ body: '{}' }, ['{}'], '--body cannot be given together with messages as arguments'],
    [{ body: '{}', count: '0' }, [], '--count must be an integer from 1 to 9007199254740991, not "0"'],
    [{ header: 'a' }, [], '--header must be name=value, not "a"'],
    [
      { property: 'prio=1' },
      [],
      '--property must set one of message_id, correlation_id, reply_to, type, app_id, user_id, content_encoding, expiration, priority, timestamp, not "prio=1"',
    ],
    [{ 'content-type': 'a\nb' }, [], '--content-type must not have control characters, not "a\\nb"'],
  ])('refuses %j', (given, messages, message) => {
    expect(refusal(() => publish(given, ...messages))).toEqual([message, 64])
  })
})
