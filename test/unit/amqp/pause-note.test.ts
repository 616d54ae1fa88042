import { expect, it } from 'vitest'
import { isOver, lastingNote, noteIn } from '../../../src/amqp/pause-note.ts'

const NOON = Date.parse('2026-03-01T12:00:00Z')

it('of several notes the one of the longest pause counts, and then the one that says most', () => {
  const [short, long] = [{ until: '2026-03-01T12:00:00Z' }, { until: '2026-03-01T13:00:00Z' }]
  const forever = { by: 'ana', reason: 'migration' }
  expect(lastingNote([])).toEqual({})
  expect(lastingNote([long, short])).toBe(long)
  expect(lastingNote([short, long])).toBe(long)
  expect(lastingNote([long, {}, forever, short])).toBe(forever)
  expect(lastingNote([{ until: 'tomorrow' }, long])).toEqual({ until: 'tomorrow' })
})

it('is over from its last millisecond on, and never where nobody says when', () => {
  const note = { until: '2026-03-01T13:00:00+01:00' }
  expect([isOver(note, NOON - 1), isOver(note, NOON)]).toEqual([false, true])
  expect(isOver({}, Number.MAX_SAFE_INTEGER)).toBe(false)
  expect(isOver({ until: 'tomorrow' }, Number.MAX_SAFE_INTEGER)).toBe(false)
})

it.each(['', '{', 'null', '7', '[]', '"until"', '\u00ff', `{"reason":"${'x'.repeat(4_096)}"}`])(
  'reads nothing in %j',
  (text) => expect(noteIn(Buffer.from(text, 'latin1'))).toEqual({}),
)

it('reads what is text, and leaves the rest', () => {
  const body = { by: 'ana', at: 7, reason: ['x'], until: null, more: 'y' }
  expect(noteIn(Buffer.from(JSON.stringify(body)))).toEqual({ by: 'ana' })
})
