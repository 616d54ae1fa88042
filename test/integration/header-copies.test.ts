import { expect } from 'vitest'
import { test } from '../support/fixtures.ts'
import { fuzzHeaders } from '../support/header-fuzz.ts'

test.for(['classic', 'quorum'] as const)(
  'header tables of every type go through both copies byte for byte (%s)',
  async (type, { broker, queue }) => {
    expect(await fuzzHeaders(broker, queue, 500, 1, type)).toEqual({
      tables: 500,
      lost: 0,
      difference: undefined,
    })
  },
)
