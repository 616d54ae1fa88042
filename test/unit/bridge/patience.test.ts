import { expect, it } from 'vitest'
import { Patience } from '../../../src/bridge/patience.ts'
import { config, recordingEvents } from '../../support/recording.ts'

const MINUTE = 60_000
const LIMITS = { ack: 'completed', timeout: 25 * MINUTE, consumerTimeout: 30 * MINUTE } as const

function patience(given: Partial<typeof config> = {}) {
  const events = recordingEvents()
  return { patience: new Patience({ ...config, ...LIMITS, ...given }, events.tell), events }
}

it('is as --consumer-timeout says, until the broker shows that it has less', () => {
  const { patience: broker, events } = patience()
  expect(broker.maxWait).toBe(4 * MINUTE)
  broker.shorten(28 * MINUTE)
  expect(broker.maxWait).toBe(2 * MINUTE)
  expect(events.all).toEqual([
    {
      kind: 'consumer-timeout-short',
      brokerConsumerTimeoutMs: 28 * MINUTE,
      consumerTimeoutMs: 30 * MINUTE,
      timeoutMs: 25 * MINUTE,
    },
  ])
})

it('leaves deliveries half of it where --timeout leaves nothing', () => {
  const { patience: broker } = patience()
  broker.shorten(MINUTE)
  expect(broker.maxWait).toBe(MINUTE / 2)
})

it('that is known is not news', () => {
  const { patience: broker, events } = patience()
  for (const shown of [30, 31, 20, 20, 25]) broker.shorten(shown * MINUTE)
  expect(events.all).toHaveLength(1)
  expect(broker.maxWait).toBe(10 * MINUTE)
})

it('ends where --consumer-timeout 0 said that it has no end', () => {
  const { patience: broker, events } = patience({ consumerTimeout: 0 })
  expect(broker.maxWait).toBe(Number.POSITIVE_INFINITY)
  broker.shorten(30 * MINUTE)
  expect(broker.maxWait).toBe(4 * MINUTE)
  expect(events.all).toHaveLength(1)
})
