import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../src/bridge/outcome.ts'
import { answer, notRead, sendFailure } from '../../support/answers.ts'
import { RecordingDelivery } from '../../support/recording.ts'
import { DISPATCHED, fails, runnerOf, sent } from './answering-pool.ts'

describe('what the pool has not read', () => {
  const unread = (headers: Record<string, unknown> = {}) => new RecordingDelivery({ properties: { headers } })

  it('is sent once more at once, on a connection of its own', async () => {
    let first = true
    const { execute, requests } = runnerOf(
      sent(() => {
        if (!first) return answer(200)
        first = false
        return fails(notRead())
      }),
    )
    const { outcome, execution } = await execute(unread())
    expect([outcome.kind, execution.attempt, execution.unread]).toEqual(['executed', 1, 0])
    expect(requests.map(({ fresh }) => fresh)).toEqual([false, true])
    expect(requests[1]?.params).toEqual(requests[0]?.params)
  })

  it('counts with the third time in a row, and then all three do', async () => {
    const { execute, runner, requests } = runnerOf(() => fails(notRead()))
    const first = await execute(unread())
    expect([first.outcome.kind, first.execution.attempt, first.execution.unread]).toEqual(['doubt', 1, 2])
    const second = await runner.run(first.execution.again())
    expect([second.outcome.kind, second.execution.attempt, second.execution.unread]).toEqual(['doubt', 3, 3])
    expect(second.outcome).toMatchObject({ fault: { kind: 'retry' } })
    expect(requests).toHaveLength(3)
  })

  it('does not count twice what counted each time, since it was too large for one write', async () => {
    const { execute } = runnerOf(() => fails(sendFailure()))
    let headers = {}
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      const { outcome, execution } = await execute(unread(headers))
      expect([outcome.kind, execution.attempt]).toEqual(['retry', attempt])
      headers = { 'x-fpm-bridge-attempt': execution.attempt, 'x-fpm-bridge-unread': execution.unread }
    }
  })

  it('counts each time after that, as its copy tells', async () => {
    const { execute, requests } = runnerOf(() => fails(notRead()))
    const { outcome, execution } = await execute(
      unread({ 'x-fpm-bridge-unread': 3, 'x-fpm-bridge-attempt': 3 }),
    )
    expect([outcome.kind, execution.attempt, execution.unread, requests.length]).toEqual(['doubt', 4, 4, 1])
  })

  it.each<[string, unknown]>([
    ['-5', -5],
    ['a string', '2'],
    ['NaN', Number.NaN],
  ])('believes no count of %s', async (_, forged) => {
    const { execute } = runnerOf(() => fails(notRead()))
    expect((await execute(unread({ 'x-fpm-bridge-unread': forged }))).execution.unread).toBe(2)
  })

  it('is counted for each delivery of its own, and only that', async () => {
    const { execute, runner } = runnerOf(() => fails(sendFailure()), DISPATCHED)
    const faultOf = ({ outcome }: { readonly outcome: Outcome }) =>
      'fault' in outcome ? outcome.fault?.kind : outcome.kind
    const first = await execute(new RecordingDelivery())
    const second = await runner.run(first.execution.again())
    const other = await execute(new RecordingDelivery())
    const third = await runner.run(second.execution.again())
    expect([first, second, other, third].map(faultOf)).toEqual([
      undefined,
      undefined,
      undefined,
      'dead-letter',
    ])
  })

  it('counts no more once it is forgiven', async () => {
    const { execute, runner } = runnerOf(() => fails(sendFailure()), DISPATCHED)
    const { execution } = await execute(new RecordingDelivery())
    execution.forgive()
    const again = await runner.run(execution.again())
    expect(again.execution.unread).toBe(1)
  })
})
