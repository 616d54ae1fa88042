import { describe, expect, test } from 'vitest'
import type { Counts } from '../../src/observe/counters.ts'
import { type FaultKind, kindsIn } from '../chaos/fault-kinds.ts'
import type { ChaosOptions } from '../chaos/options.ts'
import { play } from '../chaos/play.ts'
import { describe as describeReport } from '../chaos/report.ts'
import { type Releases, releaseAll } from '../support/releases.ts'

/* The chaos suite in small; `npm run chaos` is the whole of it. What cuts.test.ts and young-queues.test.ts do is left out. */

const FAULTS: readonly FaultKind[] = [
  'link refused',
  'dead-letter queue full',
  'pool reloaded',
  'pool reloaded at once',
  'application broken',
  'child killed after output',
  'script missing',
]

/** What a worker that serves many messages is struck by. */
const OF_POOL: readonly FaultKind[] = [
  'pool reloaded',
  'pool reloaded at once',
  'application broken',
  'child killed after output',
]

/** What the counters are to tell of at least once. */
const COUNTED: Readonly<Record<ChaosOptions['mode'], readonly (keyof Counts)[]>> = {
  completed: ['executed', 'retry', 'dead-letter', 'hold'],
  dispatched: ['executed', 'refused', 'lost', 'dead-letter', 'hold'],
}

describe.sequential.each([
  ['completed', 1, FAULTS],
  ['dispatched', 1, FAULTS],
  ['completed', 50, OF_POOL],
] as const)('--ack %s --messages-per-request %d', (mode, messagesPerRequest, kinds) => {
  test('keeps its promises while everything breaks', { timeout: 300_000 }, async () => {
    const faults = kindsIn(mode, kinds)
    const options: ChaosOptions = {
      mode,
      messagesPerRequest,
      messages: 500,
      rate: 50,
      faults: faults.length,
      seed: 20,
      queueType: 'classic',
      only: faults,
      json: undefined,
      yes: false,
    }
    const releases: Releases = []
    const said: string[] = []
    try {
      const report = await play(options, releases, (line) => said.push(line))
      expect(report.broken, `${said.join('\n')}\n\n${describeReport(report)}`).toEqual([])
      expect(report.rows.map(({ kind }) => kind)).toEqual([...faults].sort())
      const counted = Object.entries(report.counts).filter(([, count]) => count > 0)
      expect(counted.map(([outcome]) => outcome).sort()).toEqual([...COUNTED[mode]].sort())
      expect(report.reconciliation.published).toBeGreaterThanOrEqual(options.messages)
    } finally {
      await releaseAll(releases)
    }
  })
})
