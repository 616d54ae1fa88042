import { expect, it } from 'vitest'
import { childrenOf } from '../../../src/observe/pool-children.ts'
import { Sight } from '../../../src/observe/sight.ts'
import { EXECUTION } from '../../support/views.ts'

it('knows how old the message was that has started last', () => {
  const sight = new Sight()
  const start = (timestamp: number | undefined) =>
    sight.hear({ kind: 'started', execution: EXECUTION, timestamp })
  expect(sight.ageOfLast).toBeUndefined()
  start(Date.now() / 1_000 - 90)
  expect(sight.ageOfLast).toBeCloseTo(90, 0)
  start(undefined)
  expect(sight.ageOfLast).toBeCloseTo(90, 0)
  // Milliseconds are no seconds.
  start(Date.now())
  expect(sight.ageOfLast).toBeUndefined()
})

it('counts children by what each of them does, without the one that answers', () => {
  const child = (state: string) => ({
    state,
    requests: 1,
    requestDuration: 1,
    lastRequestCpu: 0,
    lastRequestMemory: 0,
  })
  const processes = ['Idle', 'Reading headers', 'Running', 'Running', 'Finishing'].map(child)
  expect(childrenOf({ processes })).toEqual({ busy: 2, children: 5 })
  expect(childrenOf({ processes: [] })).toEqual({ busy: 0, children: 0 })
})
