import { describe, expect, it } from 'vitest'
import { bridgeReport, daemonReport, lookAt, sightOf } from '../../support/fleet-looks.ts'

const executed = (count: number, more = {}) =>
  daemonReport('D-1', [bridgeReport({ messages: { executed: count, retry: 1 } })], more)

const firstOf = (sight: ReturnType<typeof sightOf>) => sight?.queues[0]?.bridges[0]

describe('a fleet that is followed', () => {
  it('is put together by queue, with what the broker counts', () => {
    const one = daemonReport('D-2', [bridgeReport(), bridgeReport({ queue: 'bills' })])
    const sight = sightOf(lookAt([one, daemonReport('D-1', [bridgeReport()])], { mails: 7 }))
    expect(sight?.queues.map(({ queue, counts }) => [queue, counts?.messages])).toEqual([
      ['bills', undefined],
      ['mails', 7],
    ])
    expect(sight?.queues[1]?.bridges.map(({ daemon }) => daemon.daemon_id)).toEqual(['D-1', 'D-2'])
  })

  it('has rates by outcome from the second look on, and none where counts begin anew', () => {
    expect(firstOf(sightOf(lookAt([executed(5)])))?.rates).toBeUndefined()
    expect(firstOf(sightOf(lookAt([executed(5)]), lookAt([executed(25)])))?.rates).toEqual({
      executed: 20,
      retry: 0,
    })
    expect(firstOf(sightOf(lookAt([executed(5)]), lookAt([executed(2)])))?.rates).toBeUndefined()
  })

  it('counts from the last answer of a daemon that has missed a look', () => {
    const sight = sightOf(lookAt([executed(5)]), lookAt([]), lookAt([executed(25)]))
    expect(firstOf(sight)).toMatchObject({ rates: { executed: 10 }, silent: false })
  })

  it('keeps a daemon that does not answer for three looks, and says so', () => {
    const silence = (looks: number) =>
      sightOf(lookAt([executed(5)]), ...Array.from({ length: looks }, () => lookAt([])))
    expect(firstOf(silence(1))).toMatchObject({ silent: true })
    expect(firstOf(silence(3))).toMatchObject({ silent: true })
    expect(silence(4)?.queues).toEqual([])
  })

  it('tells processes of one id apart by host and process id', () => {
    const looks = lookAt([executed(5), executed(6, { pid: 8 }), executed(7, { host: 'web2' })])
    expect(sightOf(looks)?.queues[0]?.bridges).toHaveLength(3)
  })

  it('has each pool of a host once, and the latest failures first', () => {
    const pools = [{ pool: '/fpm.sock', busy: 1, children: 4, listen_queue: 0 }]
    const failure = (time: string) => ({ time, queue: 'mails', outcome: 'retry', reason: 'a reason' })
    const sight = sightOf(
      lookAt([
        executed(1, { pools, failures: [failure('2026-03-01T14:00:00Z')] }),
        executed(1, {
          pid: 8,
          pools,
          failures: [failure('2026-03-01T14:00:02Z'), failure('2026-03-01T14:00:01Z')],
        }),
        executed(1, { host: 'web2', pools }),
      ]),
    )
    expect(sight?.pools.map(({ host }) => host)).toEqual(['web1', 'web2'])
    expect(sight?.failures.map(({ time }) => time.slice(17, 19))).toEqual(['02', '01', '00'])
  })
})
