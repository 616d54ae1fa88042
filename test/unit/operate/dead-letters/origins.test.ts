import { expect, it } from 'vitest'
import type { Delivery } from '../../../../src/bridge/ports.ts'
import { originsOf } from '../../../../src/operate/dead-letters/origins.ts'

const of = (headers: Record<string, unknown>, body = '{}', timestamp?: number): Delivery =>
  ({ properties: { headers, timestamp }, body: Buffer.from(body) }) as unknown as Delivery

it('knows what a bridge has said', () => {
  const letter = of({
    'x-fpm-bridge-queue': 'orders',
    'x-fpm-bridge-reason': 'status 500',
    'x-fpm-bridge-status': 500,
    'x-fpm-bridge-attempt': 5,
    'x-fpm-bridge-script': '/srv/worker.php',
    'x-fpm-bridge-stderr': 'PHP Fatal error:  Uncaught App\\Broken: no database in /srv/x.php:7',
    'x-fpm-bridge-time': '2026-01-02T03:04:05.000Z',
    'x-death': [{ queue: 'elsewhere', reason: 'rejected' }],
  })
  expect(originsOf(letter)).toMatchObject({
    madeBy: 'fpm-bridge',
    queue: 'orders',
    reason: 'status 500',
    status: 500,
    attempts: 5,
    script: '/srv/worker.php',
    exception: 'App\\Broken',
    time: Date.parse('2026-01-02T03:04:05Z'),
  })
})

it('reads the stamps of Symfony Messenger, and where RabbitMQ says it was rejected', () => {
  const stamp = 'X-Message-Stamp-Symfony\\Component\\Messenger\\Stamp\\'
  const letter = of({
    type: 'App\\Message\\SendMail',
    [`${stamp}ErrorDetailsStamp`]: JSON.stringify([
      { exceptionClass: 'RuntimeException', exceptionMessage: 'no mail server', exceptionCode: 0 },
    ]),
    [`${stamp}RedeliveryStamp`]: JSON.stringify([
      { retryCount: 1, redeliveredAt: '2026-01-02T03:00:00+00:00' },
      { retryCount: 3, redeliveredAt: '2026-01-02T03:04:05+00:00' },
    ]),
    'x-death': [
      { queue: 'delay_messages__1000', reason: 'expired', count: 3 },
      { queue: 'messages', reason: 'rejected', count: 1 },
    ],
  })
  expect(originsOf(letter)).toMatchObject({
    madeBy: 'symfony',
    queue: 'messages',
    reason: 'no mail server',
    exception: 'RuntimeException',
    subject: 'App\\Message\\SendMail',
    attempts: 4,
    time: Date.parse('2026-01-02T03:04:05Z'),
  })
})

it("finds the name of Laravel's job in its body", () => {
  const body = JSON.stringify({ uuid: '1', displayName: 'App\\Jobs\\Ship', attempts: 2, data: {} })
  expect(originsOf(of({}, body, 1_700_000_000))).toMatchObject({
    madeBy: 'laravel',
    subject: 'App\\Jobs\\Ship',
    attempts: 2,
    time: 1_700_000_000_000,
  })
})

it('reads what RabbitMQ notes of its own', () => {
  const time = { '!': 'timestamp', value: 1_700_000_000 }
  const letter = of({ 'x-death': [{ queue: 'orders', reason: 'delivery_limit', count: 1, time }] })
  expect(originsOf(letter)).toMatchObject({
    madeBy: 'rabbitmq',
    queue: 'orders',
    reason: 'delivery_limit',
    time: 1_700_000_000_000,
  })
})

it.each([
  ['no table', {}],
  ['nonsense', { 'x-death': 'x', 'x-fpm-bridge-queue': 7, 'x-fpm-bridge-time': 'x' }],
  ['a list of nonsense', { 'x-death': [null, 1, []] }],
])('makes nothing up of %s', (_, headers) => {
  expect(originsOf(of(headers, '{"displayName"', 2 ** 60))).toMatchObject({
    queue: undefined,
    time: undefined,
  })
})
