import { describe, expect, it } from 'vitest'
import { type Given, refusal, run } from '../../support/given.ts'

/** Refused with this message, or accepted. */
const messageOf = (given: Given) => refusal(() => run(given))[0]

describe('what only completed deliveries know', () => {
  it.each<[Given]>([
    [{ 'max-attempts': '3' }],
    [{ 'retry-delay': '2s' }],
    [{ 'retry-max-delay': '1m' }],
    [{ 'require-marker': 'true' }],
  ])('%j needs --ack completed', (given) => {
    const [name] = Object.keys(given)
    expect(refusal(() => run(given))).toEqual([`--${name} needs --ack completed`, 64])
    expect(messageOf({ ...given, ack: 'completed' })).toBe('accepted')
  })

  it('is read from the options', () => {
    const retries = { 'max-attempts': '3', 'retry-delay': '2s', 'retry-max-delay': '1m' }
    expect(run({ ack: 'completed', ...retries, 'require-marker': 'true' })).toMatchObject({
      maxAttempts: 3,
      retryDelay: 2_000,
      retryMaxDelay: 60_000,
      requireMarker: true,
    })
    expect(run({ ack: 'completed' })).toMatchObject({ maxAttempts: 5 })
  })

  it('is one attempt with dispatched', () => {
    expect(run()).toMatchObject({ maxAttempts: 1 })
  })

  it.each([
    [{ 'max-attempts': '0' }, '--max-attempts must be an integer from 1 to 1000000, not "0"'],
    [{ 'max-attempts': '1000001' }, '--max-attempts must be an integer from 1 to 1000000, not "1000001"'],
    [{ 'max-attempts': '2.5' }, '--max-attempts must be an integer from 1 to 1000000, not "2.5"'],
    [{ 'retry-delay': '0' }, '--retry-delay must be longer than 0, not "0"'],
    [{ 'retry-max-delay': '0s' }, '--retry-max-delay must be longer than 0, not "0s"'],
    [{ 'retry-delay': '11m' }, '--retry-delay is longer than --retry-max-delay'],
    [{ 'retry-max-delay': '999ms' }, '--retry-delay is longer than --retry-max-delay'],
    [{ 'require-marker': 'yes' }, '--require-marker must be true or false, not "yes"'],
  ])('is refused as %j', (given: Given, message) => {
    expect(refusal(() => run({ ack: 'completed', ...given }))).toEqual([message, 64])
  })

  it('may be one delay for all attempts', () => {
    expect(messageOf({ ack: 'completed', 'retry-delay': '5s', 'retry-max-delay': '5s' })).toBe('accepted')
  })
})

describe("the broker's patience", () => {
  const LONGER =
    '--consumer-timeout must be more than a minute longer than --timeout: the broker would close the channel of what is still executed'
  const A_MINUTE = '--consumer-timeout must be longer than a minute: nothing could wait for a slot'

  it.each<[Given, string]>([
    [{ ack: 'completed', timeout: '29m' }, LONGER],
    [{ ack: 'completed', timeout: '1h' }, LONGER],
    [{ ack: 'completed', 'consumer-timeout': '26m' }, LONGER],
    [{ ack: 'completed', timeout: '0', 'consumer-timeout': '1m' }, A_MINUTE],
    [{ 'consumer-timeout': '1m' }, A_MINUTE],
    [{ 'consumer-timeout': '1ms' }, A_MINUTE],
  ])('is too short with %j', (given, message) => {
    expect(refusal(() => run(given))).toEqual([message, 64])
  })

  it.each<[Given]>([
    [{ ack: 'completed', timeout: '1739999ms' }],
    [{ ack: 'completed', timeout: '2h', 'consumer-timeout': '0' }],
    [{ ack: 'completed', timeout: '2h', 'consumer-timeout': '3h' }],
    [{ timeout: '2h' }],
    [{ 'consumer-timeout': '60001ms' }],
    [{ 'consumer-timeout': '0' }],
  ])('is enough with %j', (given) => {
    expect(messageOf(given)).toBe('accepted')
  })

  it('is a duration', () => {
    expect(messageOf({ 'consumer-timeout': '30' })).toMatch(/^--consumer-timeout must be a duration/)
    expect(run({ 'consumer-timeout': '90m' })).toMatchObject({ consumerTimeout: 90 * 60_000 })
  })
})

describe('the size of a body', () => {
  it.each<[Given, string]>([
    [{ 'max-body': '0B' }, '--max-body must be from 1 to 1073741824 bytes, not "0B"'],
    [{ 'max-body': '2GiB' }, '--max-body must be from 1 to 1073741824 bytes, not "2GiB"'],
    [{ 'max-body': '8MB' }, '--max-body must be a size such as 512B, 64KiB or 8MiB, not "8MB"'],
  ])('is refused as %j', (given, message) => {
    expect(refusal(() => run(given))).toEqual([message, 64])
  })

  it('is read in bytes', () => {
    expect(run({ 'max-body': '64KiB' })).toMatchObject({ maxBody: 65_536 })
  })
})

describe('the names of the queues', () => {
  const completed = (queue: string, given: Given = {}) =>
    messageOf({ ack: 'completed', queue, 'dead-letter-queue': 'dead', ...given })

  it('are too long when that of a retry queue has more than 255 bytes', () => {
    // .retry.600000 has 13 of them, .retry.1000 has 11.
    expect(completed('q'.repeat(242))).toBe('accepted')
    expect(completed('q'.repeat(243))).toBe(
      `--queue is too long: the retry queue "${'q'.repeat(243)}.retry.600000" must have at most 255 bytes`,
    )
    expect(completed('q'.repeat(244), { 'retry-max-delay': '1s' })).toBe('accepted')
    expect(completed('q'.repeat(245), { 'retry-max-delay': '1s' })).toMatch(/^--queue is too long/)
  })

  it('are measured in bytes', () => {
    expect(completed('€'.repeat(80))).toBe('accepted')
    expect(completed('€'.repeat(81))).toMatch(/^--queue is too long/)
  })

  it('may be longer where there are no retries', () => {
    expect(messageOf({ queue: 'q'.repeat(250) })).toBe('accepted')
    expect(messageOf({ queue: 'q'.repeat(251) })).toMatch(/^--dead-letter-queue must be given/)
    expect(messageOf({ queue: 'q'.repeat(255), 'dead-letter-queue': 'dead' })).toBe('accepted')
  })

  it.each(['commands.retry.1000', 'commands.retry.512000', 'commands.retry.600000'])(
    'must not make %s the dead-letter queue: it is a retry queue',
    (name) => {
      const given = { 'dead-letter-queue': name }
      expect(refusal(() => run({ ack: 'completed', ...given }))).toEqual([
        '--dead-letter-queue is a retry queue: given-up messages would come back for ever',
        64,
      ])
      expect(messageOf(given)).toBe('accepted')
    },
  )

  it('may only look like one', () => {
    expect(messageOf({ ack: 'completed', 'dead-letter-queue': 'commands.retry.3000' })).toBe('accepted')
  })
})
