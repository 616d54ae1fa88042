import { expect, it } from 'vitest'
import { makeLargeForm } from '../support/large-forms.ts'

/* A large body neither exhausts the heap, whatever is in it, nor keeps the event loop from its turns. */

const BYTES = 30_000_000
const TOO_MANY = 'the JSON body has more than 1048576 members at once'

it.each([
  ['short keys', TOO_MANY],
  ['keys that collide in a Map', TOO_MANY],
  ['keys again, nested', TOO_MANY],
  ['objects of few keys', 73_137_485],
  ['a few very long keys', 'last=1&daemonId=D-1'.length],
  ['a text of escapes', 33_750_009],
])('of %s', async (shape, expected) => {
  const { made, turns, held } = await makeLargeForm(shape, BYTES)
  expect(made).toEqual(expected)
  expect(turns).toBeGreaterThan(3)
  // The form, and what it takes to know its keys.
  expect(held).toBeLessThan(5 * BYTES)
})
