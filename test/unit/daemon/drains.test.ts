import { expect, it } from 'vitest'
import { Drains } from '../../../src/daemon/drains.ts'

it('are of one queue, or of all, those that come later too', () => {
  const drains = new Drains()
  const have = () => ['a', 'b'].filter((queue) => drains.has(queue))
  expect(have()).toEqual([])
  drains.begin('a')
  expect(have()).toEqual(['a'])
  drains.begin(undefined)
  expect(have()).toEqual(['a', 'b'])
  drains.end('b')
  expect(have()).toEqual(['a'])
  drains.end(undefined)
  expect(have()).toEqual([])
})
