import { expect, it } from 'vitest'
import { reportOf } from '../../../src/daemon/report.ts'
import { bridgeView, EXECUTION } from '../../support/views.ts'

const DAEMON = { daemonId: 'D-1', version: '1.2.3' }
const DRAIN = { kind: 'drain' } as const
const QUEUE = { kind: 'queue', note: { by: 'ops' } } as const
const HOLD = { reason: 'no pool', since: 0 }

const bridgeIn = (view: Parameters<typeof bridgeView>[0]) =>
  reportOf(DAEMON, [{ view: bridgeView(view), rate: 2.5 }], undefined).bridges[0]

it.each([
  ['running', {}],
  ['starting', { state: 'starting' }],
  ['held', { hold: HOLD }],
  ['held', { state: 'starting', hold: HOLD }],
  ['paused', { pauses: [QUEUE], hold: HOLD, inFlight: 3 }],
  ['draining', { pauses: [QUEUE, DRAIN], inFlight: 1 }],
  ['draining', { pauses: [DRAIN], waiting: 1 }],
  ['drained', { pauses: [DRAIN], hold: HOLD }],
  ['drained', { state: 'starting', pauses: [DRAIN] }],
  ['draining', { state: 'draining', pauses: [DRAIN] }],
] as const)('a bridge is %s with %j', (state, view) => {
  expect(bridgeIn(view)).toMatchObject({ state, rate: 2.5 })
})

it('says of a hold and a pause why, where there are any', () => {
  expect(bridgeIn({ pauses: [QUEUE], hold: HOLD })).toMatchObject({
    pause: { by: 'ops' },
    hold: { reason: 'no pool', held_ms: expect.any(Number) },
  })
  expect(Object.keys(bridgeIn({}) ?? {})).not.toContain('pause')
})

it('is bounded, whatever others have written', () => {
  const reason = 'x'.repeat(100_000)
  const view = bridgeView({ pauses: [{ kind: 'queue', note: { reason } }], hold: { reason, since: 0 } })
  expect(JSON.stringify(reportOf(DAEMON, [{ view, rate: 0 }], reason)).length).toBeLessThan(2_500)
  const pool = { pool: 'x'.repeat(108), busy: 1, children: 2, listen_queue: 3 }
  const failure = { time: '', queue: 'q', outcome: 'retry', reason: 'x'.repeat(500) } as const
  const more = { status: 500, duration_ms: 1, execution: EXECUTION }
  const detail = { pools: Array(1_000).fill(pool), failures: Array(1_000).fill({ ...failure, ...more }) }
  expect(JSON.stringify(reportOf(DAEMON, [], undefined, detail)).length).toBeLessThan(25_000)
})

it('says how long executions took and how old messages were, where that is known', () => {
  const times = { count: 2, sum: 3, p50: 1, p95: 2, p99: 2, max: 2 }
  const view = bridgeView({ executionTimes: () => times })
  const [bridge] = reportOf(DAEMON, [{ view, rate: 0, ageOfLast: 1.23456 }], undefined).bridges
  expect(bridge).toMatchObject({ execution_ms: { count: 2, p50: 1, p95: 2, p99: 2, max: 2 }, age_s: 1.235 })
  expect(Object.keys(bridgeIn({}) ?? {})).not.toContain('execution_ms')
})
