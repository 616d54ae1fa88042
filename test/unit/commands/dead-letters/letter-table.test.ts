import { expect, it } from 'vitest'
import { letterTable } from '../../../../src/commands/dead-letters/letter-table.ts'
import { UNKNOWN } from '../../../../src/operate/dead-letters/origins.ts'

const letter = (stderr: string) => ({
  ...UNKNOWN,
  id: '0123456789abcdef',
  messageId: 'm',
  bytes: 2,
  deliveryCount: 0,
  defect: undefined,
  stderr,
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
