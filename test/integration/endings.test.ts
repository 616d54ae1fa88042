import { describe, expect, it } from 'vitest'
import { DEEDS, type Deed, observeEndings } from '../support/endings.ts'

/* `npm run fuzz:endings` in small: what we say of a request that was not answered is what its script has done. */

describe('a request of which we say that the pool has not read it', () => {
  it.each(Object.keys(DEEDS) as Deed[])('was not executed: %s', async (deed) => {
    const { answered, endings } = await observeEndings({
      deed,
      rounds: 3,
      endOfStdin: false,
      bodyBytes: 100,
      kept: true,
    })
    expect(answered).toBeGreaterThan(0)
    const unread = endings.filter(({ how }) => how.includes('unread'))
    expect(unread.map(({ executed }) => executed)).toEqual(unread.map(() => 0))
    // Nobody was struck that executed: then none may have run, either.
    const lost = endings.filter(({ how }) => !how.includes('unread'))
    if (deed === 'pool reloaded' || deed === 'pm.max_requests 5') expect(lost).toEqual([])
  })
})
