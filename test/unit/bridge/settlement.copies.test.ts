import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OutgoingMessage, Publisher } from '../../../src/bridge/ports.ts'
import { FailingPublisher, RecordingDelivery } from '../../support/recording.ts'
import { finished, settlementWith } from '../../support/settling.ts'

/*
 * Copies that cannot be published at once, or never as they are.
 */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const ALWAYS = Number.POSITIVE_INFINITY

function deadLettering(publisher: Publisher, delivery = new RecordingDelivery({ body: 'not JSON' })) {
  const { events, stop, settlement } = settlementWith(publisher)
  const end = settlement.settle(finished(delivery), {
    kind: 'dead-letter',
    cause: 'rejected',
    reason: 'a reason',
  })
  return { delivery, events, stop, end }
}

describe('a copy that cannot be published', () => {
  it('is tried until it can, and nothing is acked before', async () => {
    const publisher = new FailingPublisher(20)
    const { delivery, end } = deadLettering(publisher)
    while (publisher.tried.length < 20) {
      expect(delivery.settled).toEqual([])
      await vi.advanceTimersByTimeAsync(100)
    }
    await vi.advanceTimersByTimeAsync(10_000)
    await end
    expect(publisher.tried).toHaveLength(21)
    expect(delivery.settled).toEqual(['ack'])
  })

  it('is tried again after 100 ms at first, later every 10 s at most', async () => {
    const publisher = new FailingPublisher(ALWAYS)
    const { stop } = deadLettering(publisher)
    await vi.advanceTimersByTimeAsync(99)
    expect(publisher.tried).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(publisher.tried.length).toBeGreaterThan(360)
    expect(publisher.tried.length).toBeLessThan(740)
    stop.abort()
    await vi.advanceTimersByTimeAsync(0)
  })

  it('is told aloud for each new cause, and otherwise to who wants to know', async () => {
    const causes = ['a', 'a', 'b', ...Array(9).fill('b')]
    const publish = async () => {
      const cause = causes.shift()
      if (cause !== undefined) throw new Error(cause)
    }
    const { events, end } = deadLettering({ publish })
    // Ten pauses of 10 s at most.
    await vi.advanceTimersByTimeAsync(120_000)
    await end
    const failed = events.of('copy-failed')
    expect(failed).toHaveLength(12)
    expect(failed.filter(({ repeated }) => !repeated).map(({ attempt }) => attempt)).toEqual([1, 3])
    expect(failed[0]).toMatchObject({
      copy: { purpose: 'dead-letter', outcome: { reason: 'a reason' } },
      copyTo: 'commands.dead',
      cause: 'Error: a',
    })
    expect(events.all.at(-1)).toMatchObject({ kind: 'settled', parked: 0 })
  })

  it('is not needed any more when the session has ended meanwhile', async () => {
    const publisher = new FailingPublisher(ALWAYS)
    const { delivery, events, end } = deadLettering(publisher)
    await vi.advanceTimersByTimeAsync(0)
    delivery.live = false
    await vi.advanceTimersByTimeAsync(200)
    await end
    expect(publisher.tried).toHaveLength(1)
    expect(delivery.settled).toEqual([])
    expect(events.all.at(-1)).toMatchObject({ kind: 'unsettled', copy: { purpose: 'dead-letter' } })
  })

  it('is not even made when the session has ended before', async () => {
    const delivery = new RecordingDelivery({ live: false })
    const publisher = new FailingPublisher()
    await deadLettering(publisher, delivery).end
    expect(publisher.tried).toEqual([])
    expect(delivery.settled).toEqual([])
  })

  it('is given up with the daemon, at once and without an ack', async () => {
    const publisher = new FailingPublisher(ALWAYS)
    const { delivery, events, stop, end } = deadLettering(publisher)
    await vi.advanceTimersByTimeAsync(4_500)
    const tried = publisher.tried.length
    stop.abort()
    await vi.advanceTimersByTimeAsync(0)
    await end
    expect(publisher.tried).toHaveLength(tried)
    expect(delivery.settled).toEqual([])
    expect(events.kinds.at(-1)).toBe('unsettled')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('of a message that was acked when it was sent is lost with the daemon, and told as lost', async () => {
    const { events, stop, settlement } = settlementWith(new FailingPublisher(ALWAYS), { ack: 'dispatched' })
    const execution = finished(new RecordingDelivery())
    execution.ack()
    const end = settlement.settle(execution, { kind: 'dead-letter', cause: 'rejected', reason: 'a reason' })
    await vi.advanceTimersByTimeAsync(60_000)
    stop.abort()
    await end
    expect(events.all.at(-1)).toMatchObject({ kind: 'lost', why: 'not-copied', copy: { execution } })
    expect(events.of('settled')).toEqual([])
  })
})

describe('a copy that AMQP cannot express', () => {
  /** Takes no header table but ours. The broker is away at first, so that it takes a second try to find out. */
  function strictPublisher(): { readonly tried: OutgoingMessage[]; readonly publisher: Publisher } {
    const tried: OutgoingMessage[] = []
    const publisher: Publisher = {
      async publish(message) {
        tried.push(message)
        if (tried.length === 1) throw new Error('UNREACHABLE')
        if (message.headers.some(([name]) => name === 'bad'))
          throw Object.assign(new Error('cannot be encoded'), { code: 'INVALID_MESSAGE' })
      },
    }
    return { tried, publisher }
  }

  it('goes without the headers of the message, at once', async () => {
    const { tried, publisher } = strictPublisher()
    const delivery = new RecordingDelivery({
      body: 'kept',
      properties: { messageId: 'm-1', headers: { bad: 1 } },
    })
    const { end, events } = deadLettering(publisher, delivery)
    await vi.advanceTimersByTimeAsync(200)
    await end
    expect(tried).toHaveLength(3)
    expect(tried.at(-1)).toMatchObject({
      body: Buffer.from('kept'),
      properties: { messageId: 'm-1' },
    })
    const headers = Object.fromEntries(tried.at(-1)?.headers ?? [])
    expect(headers).toMatchObject({ 'x-fpm-bridge-headers-dropped': true })
    expect(headers).not.toHaveProperty('bad')
    expect(delivery.settled).toEqual(['ack'])
    expect(events.of('headers-left-out')).toHaveLength(1)
  })

  it('even then is tried again, not forgotten, and the operator hears of it more than once', async () => {
    const publisher: Publisher = {
      publish: () => Promise.reject(Object.assign(new Error('never'), { code: 'INVALID_MESSAGE' })),
    }
    const { delivery, events, stop, end } = deadLettering(publisher)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(delivery.settled).toEqual([])
    expect(events.of('copy-failed').filter(({ repeated }) => !repeated)).toHaveLength(1)
    expect(events.of('still-parked')).toHaveLength(1)
    stop.abort()
    await end
  })

  it('survives headers that no program can write again', async () => {
    let headers: Record<string, unknown> = {}
    for (let level = 0; level < 20_000; level += 1) headers = { a: headers }
    const delivery = new RecordingDelivery({ properties: { headers } })
    await deadLettering(new FailingPublisher(), delivery).end
    expect(delivery.settled).toEqual(['ack'])
  })
})

describe('a retry queue that takes nothing', () => {
  /** Takes nothing but for these queues; each other one refuses by this code. */
  function retrying(code: string, taking: readonly string[]) {
    const tried: string[] = []
    const publisher: Publisher = {
      async publish({ queue }: OutgoingMessage) {
        tried.push(queue)
        if (!taking.includes(queue)) throw Object.assign(new Error('refused'), { code })
      },
    }
    const { events, settlement } = settlementWith(publisher, { retryDelay: 1_000, retryMaxDelay: 4_000 })
    const delivery = new RecordingDelivery()
    void settlement.settle(finished(delivery, 1), { kind: 'retry', retryAfterMs: 0, reason: 'a reason' })
    return { tried, events, delivery }
  }

  it.each(['NOT_CONFIRMED', 'UNANSWERED'])(
    'is passed over after two tries (%s): the message rests longer',
    async (code) => {
      const { tried, events, delivery } = retrying(code, ['commands.retry.4000'])
      await vi.advanceTimersByTimeAsync(30_000)
      const [first, second, third] = [1_000, 2_000, 4_000].map((delay) => `commands.retry.${delay}`)
      expect(tried).toEqual([first, first, second, third])
      expect(delivery.settled).toEqual(['ack'])
      expect(events.of('queue-passed-over')).toHaveLength(2)
    },
  )

  it('is tried again when none of them takes anything', async () => {
    const { tried } = retrying('NOT_CONFIRMED', [])
    await vi.advanceTimersByTimeAsync(600_000)
    expect(new Set(tried).size).toBe(3)
    expect(tried.filter((queue) => queue === 'commands.retry.1000').length).toBeGreaterThan(5)
  })

  it('is not passed over for a broker that is away', async () => {
    const { tried } = retrying('UNREACHABLE', [])
    await vi.advanceTimersByTimeAsync(600_000)
    expect(new Set(tried).size).toBe(1)
  })
})
