import { expect, it } from 'vitest'
import { consumerTagOf } from '../../../src/amqp/consumer-tag.ts'

it.each([
  ['one bridge alone', undefined, 'D-1'],
  ['one of several', 'invoices', 'D-1.invoices'],
  ['a name that is as long as there is room', 'x'.repeat(236), `D-1.${'x'.repeat(236)}`],
  ['a name that is too long', 'x'.repeat(255), `D-1.${'x'.repeat(236)}`],
  ['a name that is cut off within a character', `x${'é'.repeat(120)}`, `D-1.x${'é'.repeat(117)}`],
])('the tag of %s', (_, name, tag) => {
  expect(consumerTagOf('D-1', name)).toBe(tag)
  // With the number of a consumer that follows very many others.
  expect(Buffer.byteLength(`${tag}.${10 ** 13}`)).toBeLessThanOrEqual(255)
})
