import { describe, expect, it } from 'vitest'
import type { BridgeEvent } from '../../../src/bridge/events.ts'
import { Metrics } from '../../../src/observe/metrics.ts'
import { samples } from '../../support/admin.ts'
import { bridgeView, deadLettered, EXECUTED, EXECUTION, processView } from '../../support/views.ts'

/** The samples after these events of the queue `q`. */
async function measured(events: readonly BridgeEvent[], metrics = new Metrics(processView())) {
  const hear = metrics.subscriber('q')
  for (const event of events) hear(event)
  const seen = samples(await metrics.registry.metrics())
  return (name: string) => seen.get(`fpm_bridge_${name}`)
}

describe('what is told becomes', () => {
  const sessionEnded = (cause: 'connection-lost' | 'consumer-timeout'): BridgeEvent => ({
    kind: 'session-ended',
    reason: 'whatever the broker says',
    cause,
    brokerConsumerTimeoutMs: undefined,
  })
  const failed = { kind: 'failed', execution: EXECUTION, code: 'TIMEOUT', phase: 'receive' } as const

  it.each<[string, BridgeEvent, string]>([
    ['an outcome', EXECUTED, 'messages_total{queue="q",outcome="executed"}'],
    ['a dead letter', deadLettered('rejected'), 'messages_total{queue="q",outcome="dead-letter"}'],
    ['its reason', deadLettered('unread'), 'dead_letters_total{queue="q",reason="unread"}'],
    ['a FastCGI error', failed, 'fastcgi_errors_total{queue="q",code="TIMEOUT",phase="receive"}'],
    [
      'a session that ended',
      sessionEnded('connection-lost'),
      'sessions_total{queue="q",reason="connection-lost"}',
    ],
    ['its reason', sessionEnded('consumer-timeout'), 'sessions_total{queue="q",reason="consumer-timeout"}'],
    ['an execution', EXECUTED, 'execution_seconds_count{queue="q"}'],
  ])('%s', async (_, event, name) => {
    expect((await measured([]))(name) ?? 0).toBe(0)
    expect((await measured([event, event]))(name)).toBe(2)
  })

  it('a duration, in its bucket', async () => {
    const value = await measured([EXECUTED])
    expect(value('execution_seconds_sum{queue="q"}')).toBe(0.003)
    expect(value('execution_seconds_bucket{le="0.0025",queue="q"}')).toBe(0)
    expect(value('execution_seconds_bucket{le="0.005",queue="q"}')).toBe(1)
    expect(value('execution_seconds_bucket{le="1800",queue="q"}')).toBe(1)
  })

  it('no execution, where no request could be made', async () => {
    const value = await measured([deadLettered('unprocessable')])
    expect(value('execution_seconds_count{queue="q"}')).toBe(0)
    expect(value('dead_letters_total{queue="q",reason="unprocessable"}')).toBe(1)
  })

  it('an execution where it is not settled: it took its time', async () => {
    const outcome = { kind: 'executed', status: 200 } as const
    const value = await measured([{ kind: 'unsettled', execution: EXECUTION, outcome, copy: undefined }])
    expect(value('execution_seconds_count{queue="q"}')).toBe(1)
    expect(value('messages_total{queue="q",outcome="executed"}')).toBe(0)
  })
})

describe('the age of a message', () => {
  const started = (timestamp: number | undefined): BridgeEvent => ({
    kind: 'started',
    execution: EXECUTION,
    timestamp,
  })
  const now = () => Math.floor(Date.now() / 1_000)

  it('is counted from its timestamp', async () => {
    const value = await measured([started(now() - 45)])
    expect(value('message_age_seconds_bucket{le="30",queue="q"}')).toBe(0)
    expect(value('message_age_seconds_bucket{le="60",queue="q"}')).toBe(1)
  })

  it('is 0 where the clock of its publisher is a little ahead', async () => {
    expect((await measured([started(now() + 20)]))('message_age_seconds_sum{queue="q"}')).toBe(0)
  })

  it.each([undefined, 0, Date.now()])('is not known from the timestamp %s', async (timestamp) => {
    expect((await measured([started(timestamp)]))('message_age_seconds_count{queue="q"}')).toBe(0)
  })
})

it('counts go on with the bridge that takes the place of another', async () => {
  const metrics = new Metrics(processView())
  await measured([EXECUTED], metrics)
  const value = await measured([EXECUTED], metrics)
  expect(value('messages_total{queue="q",outcome="executed"}')).toBe(2)
})

it('gauges are read when somebody asks; of two bridges of a queue together', async () => {
  const bridges = [bridgeView({ inFlight: 2, waiting: 1, sessionUp: false, state: 'draining' })]
  const metrics = new Metrics(processView({ bridges }))
  const read = async () => {
    const value = await measured([], metrics)
    const names = ['in_flight', 'waiting', 'concurrency', 'session_up', 'hold', 'paused']
    return names.map((name) => value(`${name}{queue="commands"}`))
  }
  expect(await read()).toEqual([2, 1, 4, 0, 0, 0])
  const hold = { reason: 'no pool', since: 0 }
  bridges.push(bridgeView({ inFlight: 3, concurrency: 8, hold, pauses: [{ kind: 'drain' }] }))
  expect(await read()).toEqual([5, 1, 8, 1, 1, 1])
  bridges.length = 0
  expect(await read()).toEqual(Array(6).fill(undefined))
})

it('one object of plain data, too, for whoever adds up several processes', async () => {
  const metrics = new Metrics(processView())
  metrics.subscriber('q')(EXECUTED)
  const all = await metrics.registry.getMetricsAsJSON()
  const { values, type } = all.find(({ name }) => name === 'fpm_bridge_messages_total') ?? {}
  expect(type).toBe('counter')
  expect(values).toContainEqual({ labels: { queue: 'q', outcome: 'executed' }, value: 1 })
  expect(structuredClone(all)).toEqual(all)
})
