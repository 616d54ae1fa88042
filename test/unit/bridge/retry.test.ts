import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { RetryPolicy } from '../../../src/bridge/ports.ts'
import { parseRetryAfter, retryDelay, retryDelays, retryQueue } from '../../../src/bridge/retry.ts'

const policy = (delay: number, maxDelay: number): RetryPolicy => ({
  retryDelay: delay,
  retryMaxDelay: maxDelay,
})

const USUAL = policy(1_000, 600_000)
/** 24 days: the longest duration there is. */
const LONGEST = 2 ** 31 - 1

describe('the delays there are', () => {
  it.each([
    ['the default', USUAL, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600].map((seconds) => seconds * 1_000)],
    ['a ladder that ends in time', policy(100, 400), [100, 200, 400]],
    ['one that has to be cut', policy(100, 401), [100, 200, 400, 401]],
    ['no room to double', policy(100, 199), [100, 199]],
    ['one for all', policy(5_000, 5_000), [5_000]],
  ])('%s', (_, given, delays) => {
    expect(retryDelays(given)).toEqual(delays)
  })

  it('are few, however far apart the bounds', () => {
    expect(retryDelays(policy(1, LONGEST))).toHaveLength(32)
  })

  it('have a queue each, named after the one that is consumed', () => {
    expect(retryQueue('orders', 4_000)).toBe('orders.retry.4000')
  })
})

describe('the delay before the next attempt', () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [10, 512_000],
    [11, 600_000],
    [12, 600_000],
    [1_025, 600_000],
    [1_000_000, 600_000],
  ])('after number %i is %i ms', (attempt, delay) => {
    expect(retryDelay(attempt, 0, USUAL)).toBe(delay)
  })

  it.each([
    ['less than it would be', 1, 2_000],
    ['what there is', 2_000, 2_000],
    ['a millisecond more', 2_001, 4_000],
    ['something between', 45_000, 64_000],
    ['the longest', 600_000, 600_000],
    ['more than that', 600_001, 600_000],
    ['absurdly much', Number.MAX_VALUE, 600_000],
    ['for ever', Number.POSITIVE_INFINITY, 600_000],
  ])('when the worker asks for %s', (_, retryAfterMs, delay) => {
    expect(retryDelay(2, retryAfterMs, USUAL)).toBe(delay)
  })

  it('is never shorter after a later attempt', () => {
    const delays = Array.from({ length: 2_000 }, (_, index) => retryDelay(index + 1, 0, policy(3, LONGEST)))
    expect(delays).toEqual(delays.toSorted((a, b) => a - b))
  })
})

describe('Retry-After', () => {
  const NOW = Date.UTC(1994, 10, 6, 8, 49, 0)
  const LATER = 37_000

  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it.each([
    ['0', 0],
    ['1', 1_000],
    ['007', 7_000],
    ['86400', 86_400_000],
  ])('of "%s" is a number of seconds', (value, milliseconds) => {
    expect(parseRetryAfter(value, NOW)).toBe(milliseconds)
  })

  // RFC 9110, section 5.6.7; the last says nothing of its zone, and means UTC wherever the daemon runs.
  it.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    'of "%s" is a date, in every time zone',
    (value) => {
      for (const zone of ['UTC', 'America/New_York', 'Asia/Kolkata']) {
        vi.stubEnv('TZ', zone)
        expect(parseRetryAfter(value, NOW)).toBe(LATER)
      }
    },
  )

  it('of a date as PHP writes it (DATE_RFC2822) is a date, too', () => {
    expect(parseRetryAfter('Sun, 06 Nov 1994 08:49:37 +0000', NOW)).toBe(LATER)
    expect(parseRetryAfter('Sun, 06 Nov 1994 09:49:37 +0100', NOW)).toBe(LATER)
  })

  it.each([
    ['a date that has passed', 'Sun, 06 Nov 1994 08:48:59 GMT'],
    ['now', 'Sun, 06 Nov 1994 08:49:00 GMT'],
    ['nothing', undefined],
    ['an empty value', ''],
    ['a negative number', '-5'],
    ['a signed number', '+5'],
    ['a fraction', '5.5'],
    ['an exponent', '1e3'],
    ['hexadecimal', '0x10'],
    ['a unit', '5s'],
    ['digits of another script', '\u0665'],
    ['two values', '5, 6'],
    ['a date of another form', '1994-11-06T08:49:37Z'],
    ['a day of the week alone', 'Sunday'],
    ['no date after it', 'Sun, soon'],
    ['a day that is not', 'Sun, 32 Nov 1994 08:49:37 GMT'],
    ['a year without end', `Sun, 06 Nov ${'9'.repeat(400)} 08:49:37 GMT`],
    ['infinity', 'Infinity'],
    ['NaN', 'NaN'],
  ])('of %s asks for nothing', (_, value) => {
    expect(parseRetryAfter(value, NOW)).toBe(0)
  })

  it.each([
    ['more milliseconds than are exact', '9'.repeat(16)],
    ['1e30 seconds', '1'.padEnd(31, '0')],
    ['more seconds than a double holds', '9'.repeat(400)],
  ])('of %s is finite, and the longest delay', (_, value) => {
    const retryAfterMs = parseRetryAfter(value, NOW)
    expect(Number.isSafeInteger(retryAfterMs)).toBe(true)
    expect(retryDelay(1, retryAfterMs, USUAL)).toBe(600_000)
  })

  it('leads to a delay that there is, whatever it says', () => {
    const value = fc.oneof(fc.string(), fc.stringMatching(/^\d+$/), fc.date().map(String))
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), value, (attempt, text) => {
        const retryAfterMs = parseRetryAfter(text, NOW)
        expect(Number.isFinite(retryAfterMs)).toBe(true)
        expect(retryDelays(USUAL)).toContain(retryDelay(attempt, retryAfterMs, USUAL))
      }),
    )
  })
})
