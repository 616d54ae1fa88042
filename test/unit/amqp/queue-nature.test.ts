import { describe, expect, it } from 'vitest'
import { differenceOf } from '../../../src/amqp/queue-nature.ts'

const failed = (text: string): string => `PRECONDITION_FAILED - ${text}`

describe('the difference that a refused declare names', () => {
  // As RabbitMQ 3.10.8 answers; 4.0 and 4.3 format the same (rabbit_misc:equivalence_fail).
  it.each([
    ["'durable' for queue 'q' in vhost '/': received 'true' but current is 'false'", 'durable', 'false'],
    [
      "'x-queue-type' for queue 'q' in vhost '/': received the value 'what is it?' of type 'longstr' but current is none",
      'x-queue-type',
      null,
    ],
    [
      "'x-queue-type' for queue 'q' in vhost '/': received 'what is it?' but current is 'stream'",
      'x-queue-type',
      'stream',
    ],
    [
      "'x-expires' for queue 'q' in vhost '/': received none but current is the value '60000' of type 'signedint'",
      'x-expires',
      60_000,
    ],
    [
      "'x-single-active-consumer' for queue 'q' in vhost '/': received none but current is the value 'true' of type 'bool'",
      'x-single-active-consumer',
      true,
    ],
    [
      "'x-dead-letter-exchange' for queue 'it's' in vhost '/': received none but current is the value 'it's' of type 'longstr'",
      'x-dead-letter-exchange',
      "it's",
    ],
    ["'x-queue-type' for queue 'nnnnnnnnnnnnnnnnnnnnnnnnn...", 'x-queue-type', undefined],
    [
      "'x-max-length' for queue 'q' in vhost '/': received none but current is the value '9223372036854775807' of type 'long'",
      'x-max-length',
      undefined,
    ],
  ])('%s', (text, key, value) => {
    expect(differenceOf(failed(`inequivalent arg ${text}`))).toEqual({ key, value })
  })

  it('is none where the queue is not there', () => {
    const text = `invalid arg 'x-queue-type' for queue 'q' in vhost '/': "unsupported queue type 'what is it?'"`
    expect(differenceOf(failed(text))).toBeUndefined()
  })
})
