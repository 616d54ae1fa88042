import { describe, expect, it } from 'vitest'
import { MOST_AHEAD, Pace } from '../../../src/message-stream/pace.ts'

function paceAfter(...durations: readonly number[]): Pace {
  const pace = new Pace()
  for (const milliseconds of durations) pace.note(milliseconds)
  return pace
}

describe('how many messages are sent ahead', () => {
  it('none before anything is known of them', () => expect(new Pace().ahead).toBe(0))

  it.each([
    [0.1, MOST_AHEAD],
    [2, 5],
    [10, 1],
    [49, 1],
    [50, 0],
    [1_000, 0],
  ])('of messages that take %d ms: %d', (milliseconds, ahead) => {
    expect(paceAfter(milliseconds, milliseconds, milliseconds).ahead).toBe(ahead)
  })

  it('goes with the last ones', () => {
    const pace = paceAfter(1_000)
    expect(pace.ahead).toBe(0)
    for (let count = 0; count < 40; count += 1) pace.note(0.2)
    expect(pace.ahead).toBe(MOST_AHEAD)
    pace.note(400)
    expect(pace.ahead).toBe(0)
  })
})
