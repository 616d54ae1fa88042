import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { copyOf as copy } from '../../../src/bridge/copy-headers.ts'
import { HEADER_PREFIX } from '../../../src/bridge/headers.ts'
import type { MessageProperties } from '../../../src/bridge/ports.ts'
import { config, executionOf, propertiesOf, RecordingDelivery } from '../../support/recording.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2024, 0, 2, 3, 4, 5) })
})
afterEach(() => {
  vi.useRealTimers()
})

/** The properties of the dead-lettered copy of a message with these. */
const copyOf = (properties: MessageProperties) =>
  propertiesOf(
    copy(
      executionOf(new RecordingDelivery({ exchange: 'orders', routingKey: 'orders.new', properties })),
      'dead-letter',
      { reason: 'not JSON', attempt: 0 },
      config,
    ),
  )

const DIAGNOSIS = {
  'x-fpm-bridge-attempt': 0,
  'x-fpm-bridge-dead-lettered': true,
  'x-fpm-bridge-reason': 'not JSON',
  'x-fpm-bridge-script': '/srv/app/worker.php',
  'x-fpm-bridge-daemon-id': 'D-1',
  'x-fpm-bridge-queue': 'commands',
  'x-fpm-bridge-exchange': 'orders',
  'x-fpm-bridge-routing-key': 'orders.new',
  'x-fpm-bridge-time': '2024-01-02T03:04:05.000Z',
}

describe('a dead-lettered copy', () => {
  it('is persistent and says what happened', () => {
    expect(copyOf({})).toEqual({ deliveryMode: 2, headers: DIAGNOSIS })
  })

  it('keeps what describes the message', () => {
    const kept = {
      contentType: 'application/json',
      contentEncoding: 'gzip',
      priority: 3,
      correlationId: 'c',
      replyTo: 'r',
      messageId: 'm',
      timestamp: 1,
      type: 't',
      appId: 'a',
    }
    const headers = { tenant: 'x', 'x-death': [{ queue: 'q' }] }
    expect(copyOf({ ...kept, deliveryMode: 1, headers })).toEqual({
      ...kept,
      deliveryMode: 2,
      headers: { ...headers, ...DIAGNOSIS },
    })
  })

  it('does not carry what the broker would act on, but keeps it to be read', () => {
    const copy = copyOf({ userId: 'alice', expiration: '5', headers: { CC: ['other'], BCC: ['hidden'] } })
    expect(copy).toEqual({
      deliveryMode: 2,
      headers: {
        ...DIAGNOSIS,
        'x-fpm-bridge-original-user-id': 'alice',
        'x-fpm-bridge-original-expiration': '5',
        'x-fpm-bridge-original-cc': ['other'],
        'x-fpm-bridge-original-bcc': ['hidden'],
      },
    })
    expect(copy).not.toHaveProperty('userId')
    expect(copy).not.toHaveProperty('expiration')
  })

  it('drops headers that pose as ours', () => {
    const headers = {
      [`${HEADER_PREFIX}reason`]: 'forged',
      [`${HEADER_PREFIX}attempt`]: 99,
      [`${HEADER_PREFIX}original-user-id`]: 'root',
      [`${HEADER_PREFIX}publish-id`]: '1',
      [HEADER_PREFIX]: 1,
    }
    expect(copyOf({ headers }).headers).toEqual(DIAGNOSIS)
  })

  it.each(['hasOwnProperty', '__proto__', 'constructor', 'cc', 'bcc', 'toJSON', ''])(
    'keeps a header called "%s"',
    (name) => {
      const headers: Record<string, unknown> = JSON.parse(`{"${name}":"x"}`)
      expect(Object.entries(copyOf({ headers }).headers ?? {})).toContainEqual([name, 'x'])
    },
  )

  it('does not change the delivery', () => {
    const headers = Object.freeze({ CC: ['other'], a: 1 })
    const properties = Object.freeze({ userId: 'alice', headers })
    copyOf(properties)
    expect(properties).toEqual({ userId: 'alice', headers: { CC: ['other'], a: 1 } })
  })
})

it('the copy of a message whose headers nobody could decode says so, and keeps the rest', () => {
  const properties = { messageId: 'm', expiration: '60000' }
  const delivery = new RecordingDelivery({ defect: 'its header table bites', properties })
  const notes = { reason: 'its header table bites', attempt: 0 }
  const bitten = propertiesOf(copy(executionOf(delivery), 'dead-letter', notes, config))
  expect(bitten).toMatchObject({ messageId: 'm', deliveryMode: 2 })
  expect(bitten.headers).toMatchObject({
    'x-fpm-bridge-reason': 'its header table bites',
    'x-fpm-bridge-headers-dropped': true,
    'x-fpm-bridge-original-expiration': '60000',
  })
})
