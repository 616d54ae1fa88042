import { expect, it } from 'vitest'
import {
  type LetterAction,
  moment,
  rate,
  readDeadLettersConfig,
} from '../../../src/config/dead-letters-config.ts'
import type { BridgeEntry, RawOptions } from '../../../src/config/reader.ts'

const flags = (given: Readonly<Record<string, string>>): RawOptions =>
  new Map(
    Object.entries({ url: 'amqp://localhost', 'tls-insecure': 'false', ...given }).map(([name, value]) => [
      name,
      { values: [value], origin: 'flag', source: `--${name}` },
    ]),
  )

const config = (
  action: LetterAction,
  words: readonly string[],
  given: Readonly<Record<string, string>>,
  bridges?: readonly BridgeEntry[],
) => readDeadLettersConfig({ options: flags(given), bridges, faults: [] }, action, words)

it.each([
  [{ queue: 'orders' }, 'orders.dead'],
  [{ queue: 'orders', 'dead-letter-queue': 'failed' }, 'failed'],
])('reads the letters of %j in %s', (given, queue) => {
  expect(config('list', [], given).queue).toBe(queue)
})

it('asks the bridges of a file', () => {
  const own = flags({ queue: 'orders', 'dead-letter-queue': 'failed' })
  const bridges = [{ path: 'bridges[0]', source: 'f:1', own }]
  expect(config('list', [], { queue: 'orders' }, bridges).queue).toBe('failed')
  expect(config('list', [], { queue: 'others' }, bridges).queue).toBe('others.dead')
  expect(() => config('list', [], {}, bridges)).toThrow('--queue is required')
})

it.each([
  ['replay', [], {}, 'what is to be replayed?'],
  ['list', [], { to: 'x' }, '--to is nothing that dead-letters list knows'],
  ['show', [], {}, 'takes the id of one letter'],
  ['show', ['a', 'b'], {}, 'takes the id of one letter'],
  ['delete', [], {}, 'takes the ids of letters'],
  ['import', ['a'], {}, 'takes no id'],
] as const)('refuses %s %j %j', (action, words, given, complaint) => {
  expect(() => config(action, words, { queue: 'q', ...given })).toThrow(complaint)
})

it.each([
  ['100/s', 100],
  ['30/m', 0.5],
  ['36/h', 0.01],
  ['6/h', 6 / 3_600],
])('reads the rate %s', (text, perSecond) => {
  expect(rate(text)).toBeCloseTo(perSecond)
})

it.each(['5', '0/s', '1/d', '-1/s', '1e3/s', '5/h'])('refuses the rate %s', (text) => {
  expect(() => rate(text)).toThrow('must be a rate')
})

it('reads a moment as a date, or as a time ago', () => {
  expect(moment('2026-01-31T12:00:00Z')).toBe(Date.UTC(2026, 0, 31, 12))
  expect(Math.abs(moment('2h') - (Date.now() - 7_200_000))).toBeLessThan(10_000)
  expect(Math.abs(moment('30d') - (Date.now() - 30 * 86_400_000))).toBeLessThan(10_000)
  for (const text of ['yesterday', '7', '2026-13-01', ''])
    expect(() => moment(text)).toThrow('must be a date')
})
