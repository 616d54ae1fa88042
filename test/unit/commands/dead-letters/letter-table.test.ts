import { expect, it } from 'vitest'
import { textWidth } from '../../../../src/command-line/text-width.ts'
import { letterTable } from '../../../../src/commands/dead-letters/letter-table.ts'
import { UNKNOWN } from '../../../../src/operate/dead-letters/origins.ts'

const letter = (stderr: string, queue?: string) => ({
  ...UNKNOWN,
  id: '0123456789abcdef',
  messageId: 'm',
  bytes: 2,
  deliveryCount: 0,
  defect: undefined,
  stderr,
  queue,
})

it.each([
  [
    'PHP message: fpm-bridge: message m (execution 1-2, attempt 1 of 5): DomainException: no such customer',
    'DomainException: no such customer',
  ],
  ['fpm-bridge: message m (execution 1-2, attempt 1 of 5): gone', 'gone'],
  ['PHP Fatal error:  Uncaught Exception: x\nStack trace:', 'PHP Fatal error:  Uncaught Exception: x'],
  ['a line\u001b[2J', 'a line\\u001b[2J'],
])('shows of the first line of %j what has happened', (stderr, shown) => {
  const [head = '', line = ''] = letterTable([letter(stderr)], undefined)
  expect(line.slice(head.indexOf('STDERR'))).toBe(shown)
})

it('has its columns below each other, whatever takes two of them, and cuts what is too wide for a terminal', () => {
  const letters = [letter('end', '注文'), letter('end', 'orders'), letter('end', 'x'.repeat(30))]
  const table = letterTable(letters, 80)
  const places = table.map((line) =>
    textWidth(line.slice(0, Math.max(line.indexOf('end'), line.indexOf('STDERR')))),
  )
  expect(new Set(places).size).toBe(1)
  expect(table.at(-1)).toContain(`${'x'.repeat(19)}…`)
  expect(letterTable(letters, undefined).at(-1)).toContain('x'.repeat(30))
})
