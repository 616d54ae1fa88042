import { describe, expect, it } from 'vitest'
import type { BridgeEntry } from '../../../src/config/reader.ts'
import { type Given, invoke, refusal } from '../../support/given.ts'

/** An entry of `bridges:`. */
function entry(index: number, own: Readonly<Record<string, string>>): BridgeEntry {
  const options = Object.entries(own).map(([name, value]) => {
    const option = { values: [value], origin: 'file' as const, source: '/f.yaml:1' }
    return [name, option] as const
  })
  return { path: `bridges[${index}]`, source: '/f.yaml:1', own: new Map(options) }
}

const TWO = [
  entry(0, { queue: 'invoices', ack: 'completed', concurrency: '9', prefetch: '9' }),
  entry(1, { queue: 'mails', name: 'post', 'retry-delay': 'no duration' }),
]

describe('invoke', () => {
  it('takes its message as an argument, from a file or from standard input', () => {
    expect(invoke({}, '{}').source).toEqual({ kind: 'argument', body: '{}' })
    expect(invoke({ file: 'a.json' }).source).toEqual({ kind: 'file', path: 'a.json' })
    expect(invoke({ file: '-' }).source).toEqual({ kind: 'input' })
    expect(invoke().source).toEqual({ kind: 'input' })
  })

  it('has the bridge that run would have, and the message that publish would publish', () => {
    const { bridge, properties } = invoke({ ack: 'completed', property: 'type=a', header: 'tenant=b' })
    expect(bridge).toMatchObject({
      queue: 'commands',
      pool: { kind: 'unix' },
      ack: 'completed',
      maxAttempts: 5,
    })
    expect(properties).toEqual({ contentType: 'application/json', type: 'a', headers: { tenant: 'b' } })
    expect(invoke().properties).not.toHaveProperty('headers')
  })

  it('takes the one bridge of a file that --name picks, whatever is wrong with the others', () => {
    expect(invoke({ name: 'invoices' }, '{}', TWO).bridge).toMatchObject({ queue: 'invoices', listed: true })
    expect(refusal(() => invoke({ name: 'post' }, '{}', TWO))[0]).toContain('retry-delay')
    expect(invoke({}, '{}', TWO.slice(0, 1)).bridge.name).toBe('invoices')
  })

  it('has flags outweigh what the file says of that bridge', () => {
    const { bridge } = invoke({ name: 'invoices', ack: 'dispatched', concurrency: '50' }, '{}', TWO)
    expect(bridge).toMatchObject({ ack: 'dispatched', concurrency: 50 })
  })

  it.each<[Given, string | undefined, readonly BridgeEntry[] | undefined, string]>([
    [{ file: 'a' }, '{}', undefined, '--file cannot be given together with a message as an argument'],
    [{ attempt: '2' }, '{}', undefined, '--attempt above 1 needs --ack completed'],
    [{ attempt: '6', ack: 'completed' }, '{}', undefined, '--attempt is above --max-attempts 5'],
    [{ attempt: '0' }, '{}', undefined, '--attempt must be'],
    [{ json: 'true', 'max-response': '64MiB' }, '{}', undefined, '--json is for answers of at most 64MiB'],
    [{}, '{}', TWO, '--name is required: the file has several bridges, "invoices", "post"'],
    [{ name: 'mails' }, '{}', TWO, '--name is that of no bridge of the file; there are "invoices", "post"'],
    [
      { name: 'post', queue: 'x' },
      '{}',
      TWO,
      '--queue belongs to one bridge of the file, which --name picks',
    ],
  ])('refuses %j', (given, body, bridges, complaint) => {
    const [message, exitCode] = refusal(() => invoke(given, body, bridges))
    expect(message).toContain(complaint)
    expect(exitCode).toBe(64)
  })

  it('refuses two messages', () => {
    expect(refusal(() => invoke({}, ['{"a":', '1}']))).toEqual([
      'invoke takes one message, not 2; is it in quotes?',
      64,
    ])
  })
})
