import { describe, expect, it } from 'vitest'
import { type CopyForm, type CopyNotes, copyOf } from '../../../src/bridge/copy-headers.ts'
import type { HeaderField, MessageProperties } from '../../../src/bridge/ports.ts'
import { config, executionOf, RecordingDelivery } from '../../support/recording.ts'

/*
 * Copies that carry less than everything, because the broker takes no more.
 */

const NOTES: CopyNotes = {
  reason: 'r'.repeat(500),
  status: 500,
  stderr: 'busy',
  attempt: 2,
  subject: 'App\\Send',
}

function copy(form: CopyForm, fields: readonly HeaderField[] = [], properties: MessageProperties = {}) {
  const delivery = new RecordingDelivery({ exchange: 'orders', routingKey: 'new', properties })
  delivery.headerFields = () => fields
  const { headers, properties: kept } = copyOf(executionOf(delivery), 'dead-letter', NOTES, config, form)
  return { headers, names: headers.map(([name]) => name), table: Object.fromEntries(headers), kept }
}

const bytes = (size: number) => new Uint8Array(size)
const FIELDS: readonly HeaderField[] = [
  ['small', bytes(10)],
  ['large', bytes(5_000)],
  ['middle', bytes(1_000)],
]

describe('a copy', () => {
  it('whole carries all, and a subject', () => {
    const { table } = copy({ kind: 'whole' }, FIELDS)
    expect(table).toMatchObject({
      small: bytes(10),
      large: bytes(5_000),
      middle: bytes(1_000),
      'x-fpm-bridge-reason': NOTES.reason,
      'x-fpm-bridge-stderr': 'busy',
      'x-fpm-bridge-subject': 'App\\Send',
    })
    expect(table).not.toHaveProperty('x-fpm-bridge-headers-dropped')
  })

  it('in brief says less of what happened', () => {
    const { table, names } = copy({ kind: 'brief' }, FIELDS)
    expect(names).toEqual(expect.arrayContaining(['small', 'large', 'middle']))
    expect(table).not.toHaveProperty('x-fpm-bridge-stderr')
    expect(table['x-fpm-bridge-reason']).toBe('r'.repeat(200))
    expect(table).toMatchObject({ 'x-fpm-bridge-status': 500, 'x-fpm-bridge-attempt': 2 })
  })

  it.each([
    [1, 'large', ['small', 'middle']],
    [4_900, 'large', ['small', 'middle']],
    [5_500, 'large, middle', ['small']],
    [100_000, 'large, middle, small', []],
  ])('cut by %d bytes leaves out %s, and says so', (by, dropped, left) => {
    const { table, names } = copy({ kind: 'cut', by }, FIELDS)
    expect(table['x-fpm-bridge-headers-dropped']).toBe(dropped)
    expect(names.filter((name) => !name.startsWith('x-fpm-bridge-'))).toEqual(left)
  })

  it('bare has our headers alone, and says that the others are missing', () => {
    const { table, names } = copy({ kind: 'bare' }, FIELDS)
    expect(names.filter((name) => !name.startsWith('x-fpm-bridge-'))).toEqual([])
    expect(table).toMatchObject({ 'x-fpm-bridge-headers-dropped': true, 'x-fpm-bridge-attempt': 2 })
  })
})

it('every copy has all properties that AMQP can express', () => {
  const { kept } = copy({ kind: 'whole' }, [], {
    messageId: 'x'.repeat(255),
    correlationId: 'x'.repeat(256),
    type: '\ufffd'.repeat(86),
    appId: '\ufffd'.repeat(85),
    userId: 'alice',
    expiration: '5',
    deliveryMode: 1,
    priority: 3,
    timestamp: 2 ** 53 - 1,
  })
  expect(kept).toEqual({
    messageId: 'x'.repeat(255),
    appId: '\ufffd'.repeat(85),
    deliveryMode: 2,
    priority: 3,
    timestamp: 2 ** 53 - 1,
  })
  expect(copy({ kind: 'whole' }, [], { timestamp: 2 ** 64 }).kept).toEqual({ deliveryMode: 2 })
})

it('keeps what the first copy had to leave out, by name', () => {
  const headers = { 'x-fpm-bridge-queue': 'commands', 'x-fpm-bridge-headers-dropped': 'large' }
  const again = new RecordingDelivery({ properties: { headers } })
  expect(copyOf(executionOf(again), 'retry', NOTES, config).headers).toContainEqual([
    'x-fpm-bridge-headers-dropped',
    'large',
  ])
})
