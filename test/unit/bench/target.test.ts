import { expect, it } from 'vitest'
import { compared } from '../../../bench/target.ts'
import { isMet } from '../../../bench/targets.ts'

it('is compared round by round, since rounds differ more than what runs side by side in one', () => {
  const target = compared('messages/s', { atLeast: 1.1 }, [200, 24, 110], [100, 20, 110])
  expect(target).toEqual({ what: 'messages/s', wanted: { atLeast: 1.1 }, value: 1.2, least: 1, most: 2 })
  expect(isMet(target)).toBe(true)
  expect(isMet({ ...target, wanted: { atMost: 1.1 } })).toBe(false)
})

it('is not met where its section has measured nothing', () => {
  expect(isMet(compared('messages/s', { atLeast: 0.97 }, [], []))).toBe(false)
})
