import { expect, it } from 'vitest'
import { serviceStatus } from '../../../src/observe/service-status.ts'
import type { BridgeView } from '../../../src/observe/views.ts'
import { bridgeView, processView } from '../../support/views.ts'

const bridge = (queue: string, given: Partial<BridgeView> = {}) => bridgeView({ queue, ...given })
const stateOf = (...bridges: readonly BridgeView[]) => serviceStatus(processView({ bridges })).state
const held = (reason: string) => ({ hold: { reason, since: 0 } })

it('names the queues, what is out of order first', () => {
  expect(
    stateOf(
      bridge('a'),
      bridge('b', { sessionUp: false }),
      bridge('c', { pauses: [{ kind: 'drain' }] }),
      bridge('d', held('no pool')),
      bridge('e', { state: 'starting' }),
    ),
  ).toBe('Held: d (no pool). Paused: c. Without a broker: b, e. Consuming: a')
})

it('adds up what is in flight and what waits', () => {
  const bridges = [bridge('a', { inFlight: 2, waiting: 1 }), bridge('b', { inFlight: 3, waiting: 4 })]
  expect(serviceStatus(processView({ bridges })).numbers).toBe('5 in flight, 5 waiting')
})

it('says of a drain only that, and how much is left', () => {
  const bridges = [bridge('a', { inFlight: 2, state: 'draining' })]
  expect(serviceStatus(processView({ draining: true, bridges }))).toEqual({
    state: 'Draining',
    numbers: '2 in flight, 0 waiting',
  })
})

it('of many queues the number', () => {
  expect(stateOf(...['a', 'b', 'c', 'd'].map((queue) => bridge(queue)))).toBe('Consuming: 4 queues')
  expect(stateOf(bridge('a', held('x')), bridge('b', held('y')))).toBe('Held: a, b')
})

it('of a queue that has two bridges, one that consumes', () => {
  expect(stateOf(bridge('a'), bridge('a', { state: 'starting', sessionUp: false }))).toBe('Consuming: a')
  expect(stateOf(bridge('a', { state: 'draining' }), bridge('a', { sessionUp: false }))).toBe(
    'Without a broker: a',
  )
})

it('is one line of bounded length, whatever a reason says', () => {
  const state = stateOf(bridge('a', held(`no\nMAINPID=1\n${'x'.repeat(10_000)}`)))
  expect(state).toMatch(/^Held: a \(no\\u000aMAINPID=1\\u000ax+\)$/)
  expect(state.length).toBeLessThan(200)
})

it('without any bridge', () => {
  expect(stateOf()).toBe('No queues')
})
