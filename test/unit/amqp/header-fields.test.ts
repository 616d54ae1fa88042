import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeTable } from '../../../src/amqp/field-table.ts'
import { encodeFields, splitFields } from '../../../src/amqp/header-fields.ts'
import type { HeaderField } from '../../../src/bridge/ports.ts'
import { headerTables } from '../../support/header-tables.ts'

describe('a header table', () => {
  it('split and put together is the same, whatever is in it', () => {
    fc.assert(
      fc.property(headerTables, (table) => {
        const again = encodeFields(splitFields(table))
        expect(again.readUInt32BE()).toBe(table.length)
        expect(again.subarray(4)).toEqual(table)
      }),
      { numRuns: 500 },
    )
  })

  it('is split at its top level only', () => {
    const inner = '\x01xS\0\0\0\x01y'
    const table = Buffer.from(`\x01aF\0\0\0\x08${inner}\x02\xffbt\x01`, 'latin1')
    expect(splitFields(table).map(([name]) => name)).toEqual(['a', '\xffb'])
  })

  it.each(['\x01aZ\x01bt\x01', '\x01aS\0\0\0\x09x', '\x09a', '\x01', '\x01a', '\x01aS\0'])(
    'that is broken is split as far as that goes: %j',
    (rest) => {
      const table = Buffer.from(`\x01kt\x01${rest}`, 'latin1')
      expect(splitFields(table).map(([name]) => name)).toEqual(['k'])
    },
  )
})

it('fields of ours are encoded as AMQP has them', () => {
  const fields: HeaderField[] = [
    ['text', 'häßlich'],
    ['empty', ''],
    ['number', -7],
    ['large', 2 ** 53 - 1],
    ['yes', true],
    ['no', false],
  ]
  expect(decodeTable(encodeFields(fields).subarray(4))).toEqual(Object.fromEntries(fields))
})
