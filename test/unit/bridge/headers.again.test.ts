import { describe, expect, it } from 'vitest'
import { type CopyNotes, type CopyPurpose, copyOf } from '../../../src/bridge/copy-headers.ts'
import { readHistory } from '../../../src/bridge/headers.ts'
import type { Delivery, MessageProperties } from '../../../src/bridge/ports.ts'
import { config, executionOf, propertiesOf, RecordingDelivery } from '../../support/recording.ts'

/*
 * Copies that come back, and what is believed of them.
 */

const NOTES: CopyNotes = { reason: 'a reason', attempt: 1 }

const PURPOSES: readonly CopyPurpose[] = ['retry', 'dead-letter']

const published = (properties: MessageProperties = {}) =>
  new RecordingDelivery({ exchange: 'orders', routingKey: 'orders.new', properties })

/** A copy as it comes back from a retry queue, by way of the default exchange. */
const returned = (delivery: Delivery, purpose: CopyPurpose = 'retry') =>
  new RecordingDelivery({ properties: propertiesOf(copyOf(executionOf(delivery), purpose, NOTES, config)) })

const headersOf = (delivery: Delivery, purpose: CopyPurpose, notes = NOTES) =>
  propertiesOf(copyOf(executionOf(delivery), purpose, notes, config)).headers

const originOf = (delivery: Delivery) => readHistory(delivery, config).origin
const executionsOf = (delivery: Delivery) => readHistory(delivery, config).executions

describe('what happened', () => {
  it('is in the headers of every copy', () => {
    const notes = { reason: 'r', status: 503, stderr: 'busy', attempt: 4, durationMs: 12 }
    for (const purpose of PURPOSES)
      expect(headersOf(published(), purpose, notes)).toMatchObject({
        'x-fpm-bridge-reason': 'r',
        'x-fpm-bridge-status': 503,
        'x-fpm-bridge-stderr': 'busy',
        'x-fpm-bridge-attempt': 4,
        'x-fpm-bridge-duration-ms': 12,
      })
  })

  it.each<[string, Partial<CopyNotes>, string]>([
    ['a status that could not be read', { status: Number.NaN }, 'status'],
    ['no status', {}, 'status'],
    ['an empty stderr', { stderr: '' }, 'stderr'],
    ['no duration', {}, 'duration-ms'],
  ])('leaves out %s', (_, notes, name) => {
    expect(headersOf(published(), 'retry', { ...NOTES, ...notes })).not.toHaveProperty(`x-fpm-bridge-${name}`)
  })

  it('shows the beginning of a long stderr', () => {
    const headers = headersOf(published(), 'retry', { ...NOTES, stderr: 'x'.repeat(5_000) })
    expect(headers['x-fpm-bridge-stderr']).toBe('x'.repeat(2_048))
  })
})

describe('a copy that comes back', () => {
  it('has no x-death, which a dead letter keeps', () => {
    const delivery = published({ headers: { 'x-death': [{ count: 1 }], a: 1 } })
    expect(headersOf(delivery, 'retry')).not.toHaveProperty('x-death')
    expect(headersOf(delivery, 'retry')).toMatchObject({ a: 1 })
    expect(headersOf(delivery, 'dead-letter')).toMatchObject({ 'x-death': [{ count: 1 }], a: 1 })
  })

  it.each(PURPOSES)('copied again (%s) still tells where the message was published to', (purpose) => {
    const again = returned(returned(returned(published())), purpose)
    expect(originOf(again)).toEqual({ exchange: 'orders', routingKey: 'orders.new' })
    expect(again.properties.headers).toMatchObject({
      'x-fpm-bridge-exchange': 'orders',
      'x-fpm-bridge-routing-key': 'orders.new',
    })
  })

  it.each(PURPOSES)('copied again (%s) still has what was taken off the first', (purpose) => {
    const first = published({ userId: 'alice', expiration: '5', headers: { CC: ['other'], BCC: ['hidden'] } })
    expect(headersOf(returned(returned(first)), purpose)).toMatchObject({
      'x-fpm-bridge-original-user-id': 'alice',
      'x-fpm-bridge-original-expiration': '5',
      'x-fpm-bridge-original-cc': ['other'],
      'x-fpm-bridge-original-bcc': ['hidden'],
    })
  })

  it.each(PURPOSES)('copied again (%s) still says that it was replayed', (purpose) => {
    const headers = { 'x-fpm-bridge-queue': 'commands', 'x-fpm-bridge-replayed': 'which, and when' }
    const replayed = new RecordingDelivery({ properties: { headers } })
    expect(headersOf(returned(replayed), purpose)).toMatchObject({
      'x-fpm-bridge-replayed': 'which, and when',
    })
  })

  it('does not grow', () => {
    const first = returned(published({ headers: { a: 1, CC: ['other'] } }))
    const names = Object.keys(first.properties.headers ?? {})
    expect(Object.keys(returned(returned(first)).properties.headers ?? {}).sort()).toEqual(names.sort())
  })
})

describe('a message that poses as a copy', () => {
  const forged = {
    'x-fpm-bridge-queue': 'commands',
    'x-fpm-bridge-exchange': 'forged',
    'x-fpm-bridge-routing-key': 'forged',
    'x-fpm-bridge-original-user-id': 'root',
    'x-fpm-bridge-replayed': 'forged',
  }

  it.each<[string, Delivery]>([
    ['from another exchange', published({ headers: forged })],
    [
      'from an exchange to our queue',
      new RecordingDelivery({ exchange: 'x', properties: { headers: forged } }),
    ],
    [
      'from another queue',
      new RecordingDelivery({ properties: { headers: { ...forged, 'x-fpm-bridge-queue': 'others' } } }),
    ],
    [
      'of no queue',
      new RecordingDelivery({ properties: { headers: { 'x-fpm-bridge-exchange': 'forged' } } }),
    ],
    ['with another routing key', new RecordingDelivery({ routingKey: 'x', properties: { headers: forged } })],
  ])('%s is not believed', (_, delivery) => {
    const { exchange } = delivery
    expect(originOf(delivery)).toBeUndefined()
    for (const name of ['x-fpm-bridge-original-user-id', 'x-fpm-bridge-replayed'])
      expect(headersOf(delivery, 'retry')).not.toHaveProperty(name)
    expect(headersOf(delivery, 'retry')).toMatchObject({ 'x-fpm-bridge-exchange': exchange })
  })

  it.each([7, null, ['orders'], { a: 1 }])('with %j for an exchange is not believed either', (value) => {
    const headers = { ...forged, 'x-fpm-bridge-exchange': value }
    const delivery = new RecordingDelivery({ properties: { headers } })
    expect(originOf(delivery)).toBeUndefined()
  })

  it('that was a dead letter, and was put back, has not been executed yet', () => {
    const headers = headersOf(published(), 'dead-letter', { ...NOTES, attempt: 5 })
    expect(headers).toMatchObject({ 'x-fpm-bridge-attempt': 5 })
    const putBack = new RecordingDelivery({ properties: { headers } })
    expect(executionsOf(putBack)).toBe(0)
    // From then on it counts as any other.
    const repeated = headersOf(putBack, 'retry', { ...NOTES, attempt: 2 })
    expect(executionsOf(new RecordingDelivery({ properties: { headers: repeated } }))).toBe(2)
  })

  it('gains nothing by its number of executions but to be given up sooner', () => {
    const of = (value: unknown) =>
      executionsOf(new RecordingDelivery({ properties: { headers: { 'x-fpm-bridge-attempt': value } } }))
    expect([0, 3, 99, 2 ** 53 - 1].map(of)).toEqual([0, 3, 99, 2 ** 53 - 1])
    expect([-1, 1.5, Number.NaN, 2 ** 53, '3', null, undefined, true, 3n, [3]].map(of)).toEqual(
      Array(10).fill(0),
    )
    expect(executionsOf(new RecordingDelivery())).toBe(0)
  })
})
