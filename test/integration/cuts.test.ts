import { expect } from 'vitest'
import { QUEUE_PREFIX } from '../chaos/cuts/lane.ts'
import { playCuts } from '../chaos/cuts/model.ts'
import { ALL_DEEDS, POINTS } from '../chaos/cuts/points.ts'
import { describe } from '../chaos/cuts/report.ts'
import { brokenPromises } from '../chaos/cuts/tally.ts'
import { deleteQueues, test } from '../support/fixtures.ts'
import { type Releases, releaseAll } from '../support/releases.ts'

/* The cut points in small: each twice in each mode; `npm run cuts` has every deed at each. */

test('nothing is lost, burnt or left, whatever is done at a point in the life of a message', {
  timeout: 300_000,
}, async ({ broker }) => {
  const options = {
    modes: ['completed', 'dispatched'],
    rounds: 2 * POINTS.length,
    seed: 828,
    deeds: ALL_DEEDS,
  } as const
  const releases: Releases = []
  const said: string[] = []
  try {
    const { outcomes, imbalances } = await playCuts(broker, options, releases, (line) => said.push(line))
    const broken = brokenPromises(outcomes)
    // The promises first: of a failure's text the first line is what a report shows.
    const report = [broken.join('; '), ...said, describe(outcomes)].join('\n')
    expect(broken, report).toEqual([])
    expect(imbalances).toEqual([])
    expect(outcomes).toHaveLength(2 * options.rounds)
  } finally {
    await releaseAll(releases)
    await deleteQueues(broker, QUEUE_PREFIX)
  }
})
