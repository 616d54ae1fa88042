import { expect, it } from 'vitest'
import { hasLine, lineRanges, linesFrom, lineText } from '../../../src/config/line-ranges.ts'

it.each([
  ['3', '3'],
  ['20-,7-9,3', '3,7-9,20-'],
  ['1-4,5,2-3', '1-5'],
  ['1-', '1-'],
])('reads the lines %s', (text, inOrder) => {
  expect(lineText(lineRanges(text))).toBe(inOrder)
})

it.each(['', '0', '3-2', 'x', '1,,2', '-3', '1-2-3'])('refuses %j', (text) => {
  expect(() => lineRanges(text)).toThrow('must be numbers of lines')
})

it('knows which lines are meant, and which of them are left', () => {
  const ranges = lineRanges('3,7-9,20-')
  expect([2, 3, 4, 8, 10, 1_000].map((line) => hasLine(ranges, line))).toEqual([
    false,
    true,
    false,
    true,
    false,
    true,
  ])
  expect(lineText(linesFrom(ranges, 8))).toBe('8-9,20-')
})
