import { describe, expect, it } from 'vitest'
import { TABLE } from '../../../src/bridge/outcome.ts'
import { WHAT_HAPPENED } from '../../../src/bridge/outcome-rows.ts'
import { read } from './page.ts'

/* The first table of docs/outcomes.md is the outcome table of src/bridge/outcome.ts, row by row. */

const [table = ''] = read('docs/outcomes.md')
  .split('\n\n')
  .filter((part) => part.startsWith('| what happened |'))
const documented = table
  .split('\n')
  .slice(2)
  .map((line) => line.replaceAll('`', '').split('|').slice(1, -1))
  .map((cells) => cells.map((cell) => cell.trim()))

/** How the page puts a verdict. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  hold: ['hold', 'requeue; hold'],
  'hold!': ['hold', 'requeue; hold'],
  'again?': ['resend; then in doubt'],
  ack: ['ack'],
  retry: ['retry'],
  'retry?': ['in doubt: retry'],
  'dead-letter': ['dead-letter'],
  'dead-letter?': ['in doubt: dead-letter'],
  log: ['log', 'log as lost'],
  'log?': ['in doubt: log', '(needs completed)'],
}

/** Rows of one name stand next to each other, and are one on the page. */
const names = [...new Set(TABLE.map(([name]) => name))]

describe('docs/outcomes.md', () => {
  it('has the rows of the table, in their order and in the same words', () => {
    expect(documented.map(([what]) => what)).toEqual(names.map((name) => WHAT_HAPPENED[name]))
  })

  it('names no row that the table does not have', () => {
    expect(Object.keys(WHAT_HAPPENED)).toEqual(names)
  })

  it.each(TABLE.map((row) => [row[0], row] as const))('says what %s means', (name, [, , ...verdicts]) => {
    const [, ...cells] = documented[names.indexOf(name)] ?? []
    // What the worker says itself is done as it says.
    const isAsSaid = cells[0] === 'as it says'
    for (const [index, verdict] of verdicts.entries())
      if (index > 0 || !isAsSaid) expect(WORDS[verdict]).toContain(cells[index])
  })
})
