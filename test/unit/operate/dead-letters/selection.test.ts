import { expect, it } from 'vitest'
import type { Delivery } from '../../../../src/bridge/ports.ts'
import { groupIdOf, LetterGroups } from '../../../../src/operate/dead-letters/groups.ts'
import type { DeadLetter } from '../../../../src/operate/dead-letters/letter.ts'
import { NamedLetters, NoSuchChoice } from '../../../../src/operate/dead-letters/named.ts'
import { Selector } from '../../../../src/operate/dead-letters/selection.ts'

const ANY = { words: [], reason: undefined, since: undefined, until: undefined }
const letter = (id: string, more: Partial<DeadLetter> = {}) => ({ id, bytes: 1, ...more }) as DeadLetter
const delivery = {} as Delivery

it('chooses by reason and time, those of unknown time never by time', () => {
  const old = letter('1', { reason: 'Status 500', time: 1_000 })
  const young = letter('2', { reason: 'timeout', time: 2_000 })
  const timeless = letter('3', { reason: 'status 500' })
  const chosen = (selection: object) =>
    [old, young, timeless].filter((each) => new Selector({ ...ANY, ...selection }).includes(each))
  expect(chosen({})).toEqual([old, young, timeless])
  expect(chosen({ reason: 'STATUS' })).toEqual([old, timeless])
  expect(chosen({ since: 1_500 })).toEqual([young])
  expect(chosen({ until: 1_500 })).toEqual([old])
})

it('counts those that have failed alike, whatever number is in the reason', () => {
  const groups = new LetterGroups()
  const one = letter('1', { reason: 'no answer within 25001 ms', status: 500, time: 5 })
  const two = letter('2', { reason: 'no answer within 25002 ms', status: 500, time: 3 })
  for (const each of [one, two, letter('3', { reason: 'other' })]) groups.add(each)
  expect(groups.all).toMatchObject([{ count: 2, firstSeen: 3, lastSeen: 5 }, { count: 1 }])
  const selector = new Selector({ ...ANY, words: [groups.all[0]?.id ?? ''] })
  expect([one, two].every((each) => selector.includes(each))).toBe(true)
  expect(groupIdOf(one)).toBe(groups.all[0]?.id)
  expect(selector.includes(letter('3', { reason: 'other' }))).toBe(false)
})

it('takes the beginning of an id, or a message id, if it names one letter', () => {
  const all = [letter('abcd1'), letter('abcd2', { messageId: 'order-7' }), letter('ffff0'), letter('ffff0')]
  const named = (...words: string[]) => {
    const letters = new NamedLetters(new Selector({ ...ANY, words }))
    for (const each of all) letters.offer(each, delivery)
    return letters.letters.map(({ letter: { id } }) => id)
  }
  expect(named('abcd1')).toEqual(['abcd1'])
  expect(named('order-7')).toEqual(['abcd2'])
  // They are alike.
  expect(named('ffff')).toEqual(['ffff0', 'ffff0'])
  expect(() => named('abcd')).toThrow(NoSuchChoice)
  expect(() => named('abc')).toThrow('no dead letter has the id')
  expect(() => named('abcd1', '9999')).toThrow('"9999"')
  expect(() => named('abcd1', 'g-01234567')).toThrow('not both')
})
