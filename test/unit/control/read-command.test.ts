import { describe, expect, it } from 'vitest'
import { VERBS } from '../../../src/control/protocol.ts'
import { readCommand } from '../../../src/control/read-command.ts'

const read = (routingKey: string, body: string, type?: string) =>
  readCommand({ type, routingKey, body: Buffer.from(body) })

describe('a command', () => {
  it.each(VERBS)('%s is said by the type, or by the routing key', (verb) => {
    const expected = { kind: 'command', verb, command: {} }
    expect(read(verb, '{}')).toEqual(expected)
    expect(read(verb, '{}', 'some.type')).toEqual(expected)
    expect(read('ping', '{}', `fpm-bridge.${verb}`)).toEqual(expected)
  })

  it.each([
    ['', {}],
    ['{}', {}],
    ['{"queue":"q","daemon":"D-1","more":[1]}', { queue: 'q', daemon: 'D-1' }],
    ['{"detail":true}', { detail: true }],
    ['{"detail":1}', {}],
    ['{"queue":""}', { queue: '' }],
    ['{"__proto__":{"queue":"q"}}', {}],
  ])('has the body %j', (body, command) => {
    expect(read('ping', body)).toEqual({ kind: 'command', verb: 'ping', command })
  })

  it.each([
    ['ping', '{', undefined, /no JSON object/],
    ['ping', '[]', undefined, /no JSON object/],
    ['ping', 'null', undefined, /no JSON object/],
    ['ping', '{"queue":1}', undefined, /texts queue and daemon/],
    ['ping', '{"daemon":null}', undefined, /texts queue and daemon/],
    ['ping', ' '.repeat(5_000), undefined, /longer than 4096 bytes/],
    ['', '{}', undefined, /"" is none of ping/],
    ['Pause', '{}', undefined, /none of ping, pause/],
    ['pause', '{}', 'fpm-bridge.destroy', /"destroy" is none of/],
    ['toString', '{}', undefined, /none of/],
    ['x'.repeat(255), '{}', undefined, /^"x{100}" is none of/],
  ])('is not %j with %j and type %s', (key, body, type, reason) => {
    expect(read(key, body, type)).toEqual({ kind: 'ignored', reason: expect.stringMatching(reason) })
  })
})
