import { afterEach, describe, expect, it, vi } from 'vitest'
import { eventually, Hopeless, inTime } from '../../support/eventually.ts'

const SOON = { within: 50, every: 1 }

/** A check that is answered with these, one after the other, and then with the last again and again. */
function checkOf(...answers: unknown[]) {
  const check = vi.fn(() => {
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (answer instanceof Error) throw answer
    return answer
  })
  return check
}

afterEach(() => {
  vi.useRealTimers()
})

describe('eventually', () => {
  it('is repeated until the check neither fails nor says no', async () => {
    const check = checkOf(undefined, null, false, new Error('not yet'), 0)
    expect(await eventually('it is 0', check, { ...SOON, within: 5_000 })).toBe(0)
    expect(check).toHaveBeenCalledTimes(5)
  })

  it.each([
    [false, 'Not within 50 ms: it is so. Last seen: false'],
    [new Error('2 are left'), 'Not within 50 ms: it is so. Last seen: 2 are left'],
  ])('gives up, and says what it has seen last: %s', async (answer, message) => {
    await expect(eventually('it is so', checkOf(answer), SOON)).rejects.toThrow(
      new Error(message, { cause: answer }),
    )
  })

  it('does not wait for what can never be', async () => {
    const check = checkOf(new Hopeless('it has ended'))
    await expect(eventually('it is so', check)).rejects.toThrow('it has ended')
    expect(check).toHaveBeenCalledOnce()
  })

  it('gives up in time where a test has stopped the clock', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance', 'Date'] })
    await expect(eventually('it is so', checkOf(false), SOON)).rejects.toThrow('Not within 50 ms')
  })
})

describe('in time', () => {
  it('is what the check has found, or undefined', async () => {
    expect(await inTime(checkOf(undefined, 7), SOON)).toBe(7)
    expect(await inTime(checkOf(false), SOON)).toBeUndefined()
    expect(await inTime(checkOf(new Error('away')), SOON)).toBeUndefined()
  })
})
