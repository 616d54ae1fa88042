import { expect, it } from 'vitest'
import { Patience } from '../../../src/bridge/patience.ts'
import { config, recordingLog } from './recording.ts'

const MINUTE = 60_000
const LIMITS = { ack: 'completed', timeout: 25 * MINUTE, consumerTimeout: 30 * MINUTE } as const

function patience(given: Partial<typeof config> = {}) {
  const log = recordingLog()
  return { patience: new Patience({ ...config, ...LIMITS, ...given }, log), log }
}

it('is as --consumer-timeout says, until the broker shows that it has less', () => {
  const { patience: broker, log } = patience()
  expect(broker.maxWait).toBe(4 * MINUTE)
  broker.shorten(28 * MINUTE)
  expect(broker.maxWait).toBe(2 * MINUTE)
  expect(log.lines).toMatchObject([
    {
      level: 'error',
      message: expect.stringMatching(/consumer_timeout is shorter than --consumer-timeout: .*--timeout/),
      fields: {
        brokerConsumerTimeoutMs: 28 * MINUTE,
        consumerTimeoutMs: 30 * MINUTE,
        timeoutMs: 25 * MINUTE,
      },
    },
  ])
})

it('leaves deliveries half of it where --timeout leaves nothing', () => {
  const { patience: broker } = patience()
  broker.shorten(MINUTE)
  expect(broker.maxWait).toBe(MINUTE / 2)
})

it('that is known is not news', () => {
  const { patience: broker, log } = patience()
  for (const shown of [30, 31, 20, 20, 25]) broker.shorten(shown * MINUTE)
  expect(log.lines).toHaveLength(1)
  expect(broker.maxWait).toBe(10 * MINUTE)
})

it('ends where --consumer-timeout 0 said that it has no end', () => {
  const { patience: broker, log } = patience({ consumerTimeout: 0 })
  expect(broker.maxWait).toBe(Number.POSITIVE_INFINITY)
  broker.shorten(30 * MINUTE)
  expect(broker.maxWait).toBe(4 * MINUTE)
  expect(log.lines).toHaveLength(1)
})
