import { describe, expect, it } from 'vitest'
import { OptionError } from '../../../src/config/option-error.ts'
import { optional } from '../../../src/config/parse.ts'
import { OptionReader, type RawOption } from '../../../src/config/reader.ts'
import { integer } from '../../../src/config/values.ts'

const flag = (...values: string[]): RawOption => ({ values, origin: 'flag', source: '--prefetch' })
const environment = (...values: string[]): RawOption => ({
  values,
  origin: 'environment',
  source: 'FPM_BRIDGE_PREFETCH',
})
const file = (...values: string[]): RawOption => ({
  values,
  origin: 'file',
  source: '/etc/fpm-bridge.yaml:14',
  path: 'prefetch',
})

const readerOf = (prefetch?: RawOption) =>
  new OptionReader(new Map(prefetch === undefined ? [] : [['prefetch', prefetch]]))
const positive = integer(1, 10)

/** Message and exit code of what reading throws. */
function refusal(read: () => unknown): [message: string, exitCode: number] {
  try {
    read()
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError)
    return [(error as OptionError).message, (error as OptionError).exitCode]
  }
  throw new Error('was accepted')
}

describe('a value', () => {
  it('is read, wherever it comes from', () => {
    expect(readerOf(flag('3')).value('prefetch', positive)).toBe(3)
    expect(readerOf(file('3')).optional('prefetch', positive)).toBe(3)
    expect(readerOf().optional('prefetch', positive)).toBeUndefined()
    expect(readerOf(flag('1', '2')).list('prefetch', positive)).toEqual([1, 2])
    expect(readerOf().list('prefetch', positive)).toEqual([])
  })

  it.each([
    ['a flag', flag('0'), '--prefetch must be an integer from 1 to 10, not "0"', 64],
    [
      'the environment',
      environment('0'),
      '--prefetch (from FPM_BRIDGE_PREFETCH) must be an integer from 1 to 10, not "0"',
      78,
    ],
    ['a file', file('0'), 'prefetch (/etc/fpm-bridge.yaml:14) must be an integer from 1 to 10, not "0"', 78],
    [
      'a flag, with a line break',
      flag('a\nb\0'),
      '--prefetch must be an integer from 1 to 10, not "a\\nb\\u0000"',
      64,
    ],
    ['a flag given twice', flag('1', '2'), '--prefetch takes one value', 64],
    ['a list in a file', file('1', '2'), 'prefetch (/etc/fpm-bridge.yaml:14) takes one value', 78],
    ['an empty list in a file', file(), 'prefetch (/etc/fpm-bridge.yaml:14) takes one value', 78],
  ])('from %s is complained about with its source', (_, option, message, exitCode) => {
    expect(refusal(() => readerOf(option).value('prefetch', positive))).toEqual([message, exitCode])
    expect(refusal(() => readerOf(option).optional('prefetch', positive))).toEqual([message, exitCode])
  })

  it('that is missing is asked for by both its names', () => {
    const message = '--drain-timeout is required (or FPM_BRIDGE_DRAIN_TIMEOUT)'
    expect(refusal(() => readerOf().value('drain-timeout', positive))).toEqual([message, 64])
    expect(refusal(() => readerOf().secrets('drain-timeout', positive))).toEqual([message, 64])
  })

  it('that is wrong beside another is refused in the same words', () => {
    expect(refusal(() => readerOf(file('1')).refuse('prefetch', 'is too low'))).toEqual([
      'prefetch (/etc/fpm-bridge.yaml:14) is too low',
      78,
    ])
    expect(refusal(() => readerOf().refuse('prefetch', 'is too low'))).toEqual(['--prefetch is too low', 64])
  })
})

it('a value that is wrong before it is read is told of, wherever it is asked for', () => {
  const fault = new OptionError('prefetch (/etc/fpm-bridge.yaml:14) has no value', 78)
  const read = readerOf({ ...file(), fault })
  for (const ask of ['value', 'optional', 'list', 'secrets'] as const)
    expect(refusal(() => read[ask]('prefetch', positive))).toEqual([fault.message, 78])
})

it('a table is read whole, and all that is wrong is told', () => {
  const options = new Map([
    ['prefetch', file('0')],
    ['concurrency', flag('0')],
  ])
  const read = new OptionReader(options)
  const table = {
    prefetch: positive,
    concurrency: optional(positive),
    timeout: positive,
    other: optional(positive),
  }
  expect(refusal(() => read.values(table))).toEqual([
    [
      'prefetch (/etc/fpm-bridge.yaml:14) must be an integer from 1 to 10, not "0"',
      '--concurrency must be an integer from 1 to 10, not "0"',
      '--timeout is required (or FPM_BRIDGE_TIMEOUT)',
    ].join('\n'),
    64,
  ])
  expect(
    new OptionReader(new Map([['prefetch', file('7')]])).values({
      prefetch: positive,
      other: optional(positive),
    }),
  ).toEqual({
    prefetch: 7,
    other: undefined,
  })
})

describe('a secret', () => {
  it('is never repeated', () => {
    const [message] = refusal(() => readerOf(flag('hunter2')).secrets('prefetch', positive))
    expect(message).toBe('--prefetch must be an integer from 1 to 10')
  })

  it('is counted when there are several', () => {
    expect(readerOf(flag('7', '8')).secrets('prefetch', positive)).toEqual([7, 8])
    const [message] = refusal(() => readerOf(environment('7', 'hunter3')).secrets('prefetch', positive))
    expect(message).toBe(
      '--prefetch (from FPM_BRIDGE_PREFETCH) number 2 of 2 must be an integer from 1 to 10',
    )
    expect(refusal(() => readerOf(file('hunter2', '7', 'hunter3')).secrets('prefetch', positive))[0]).toBe(
      [1, 3]
        .map(
          (index) =>
            `prefetch (/etc/fpm-bridge.yaml:14) number ${index} of 3 must be an integer from 1 to 10`,
        )
        .join('\n'),
    )
  })

  it('is one at least', () => {
    expect(refusal(() => readerOf(file()).secrets('prefetch', positive))).toEqual([
      'prefetch (/etc/fpm-bridge.yaml:14) must not be empty',
      78,
    ])
  })
})
