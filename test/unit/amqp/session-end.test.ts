import { expect, it } from 'vitest'
import { patienceIn } from '../../../src/amqp/session-end.ts'

// As RabbitMQ 3.10.8 and 4.0.5 close the channel (rabbit_channel:evaluate_consumer_timeout1).
const TIMED_OUT =
  'Channel closed by server: 406 (PRECONDITION-FAILED) with message "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 60000 ms. This timeout value can be configured, see consumers doc guide to learn more"'

it.each([
  [TIMED_OUT, 60_000],
  ['Channel closed by server: 406 (PRECONDITION-FAILED) with message "unknown delivery tag 7"', undefined],
  ['Heartbeat timeout', undefined],
])('%s: %s', (reason, milliseconds) => {
  expect(patienceIn(reason)).toBe(milliseconds)
})
