import { table } from '../../../bench/table.ts'
import type { Fates } from '../fates.ts'
import { ALL_DEEDS, POINTS } from './points.ts'
import { brokenPromises, type Outcome } from './tally.ts'

/** Everything as text for a terminal: of each mode a table, point by deed. */
export function describe(outcomes: readonly Outcome[]): string {
  const modes = [...new Set(outcomes.map(({ round }) => round.mode))].sort()
  const broken = brokenPromises(outcomes)
  return [
    ...modes.map((mode) => rowsOf(mode, outcomes)),
    broken.length === 0
      ? 'Every promise was kept.'
      : broken.map((promise) => `BROKEN PROMISE: ${promise}`).join('\n'),
  ].join('\n\n')
}

function rowsOf(mode: string, outcomes: readonly Outcome[]): string {
  const rows = POINTS.flatMap((point) =>
    ALL_DEEDS.flatMap((deed) => {
      const own = outcomes.filter(
        ({ round }) => round.mode === mode && round.point === point && round.deed === deed,
      )
      if (own.length === 0) return []
      const sum = (count: (fates: Fates) => number) => own.reduce((all, { fates }) => all + count(fates), 0)
      const counts = [
        own.length,
        sum(({ lost }) => lost.length),
        sum(({ unbegun }) => unbegun.length),
        sum(({ lost, silent }) => lost.length - silent.length),
        sum(({ twice }) => twice.length),
        sum(({ burnt }) => burnt),
      ]
      return [[`${point}, ${deed}`, ...counts.map(String)]]
    }),
  )
  return table([`--ack ${mode}`, 'rounds', 'lost', 'not begun', 'logged', 'twice', 'burnt'], rows)
}
