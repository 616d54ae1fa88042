import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OutgoingMessage, Publisher } from '../../../src/bridge/ports.ts'
import { Settlement } from '../../../src/bridge/settle.ts'
import { config, RecordingDelivery, recordingLog } from './recording.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A publisher that fails a number of times before it succeeds. */
class FailingPublisher implements Publisher {
  readonly tried: OutgoingMessage[] = []
  readonly #failures: number

  constructor(failures: number) {
    this.#failures = failures
  }

  async publish(message: OutgoingMessage): Promise<void> {
    this.tried.push(message)
    if (this.tried.length <= this.#failures) throw new Error(`failure ${this.tried.length}`)
  }
}

function settling(publisher: Publisher, delivery = new RecordingDelivery({ body: 'not JSON' })) {
  const log = recordingLog()
  const stop = new AbortController()
  const settled = new Settlement(config, publisher, stop.signal).deadLetter(
    delivery,
    { reason: 'a reason' },
    log,
  )
  let isSettled = false
  const end = settled.then(() => {
    isSettled = true
  })
  return { delivery, log, stop, end, isSettled: () => isSettled }
}

describe('dead-lettering', () => {
  it('publishes body and diagnosis to the dead-letter queue, then acks', async () => {
    const publisher = new FailingPublisher(0)
    const { delivery, log, end } = settling(publisher)
    await end
    expect(publisher.tried).toEqual([
      {
        queue: 'commands.dead',
        body: Buffer.from('not JSON'),
        properties: {
          deliveryMode: 2,
          headers: expect.objectContaining({ 'x-fpm-bridge-reason': 'a reason' }),
        },
      },
    ])
    expect(delivery.settled).toEqual(['ack'])
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: 'Dead-lettered.',
        fields: { reason: 'a reason', deadLetterQueue: 'commands.dead' },
      },
    ])
  })

  it('acks only when the copy is confirmed', async () => {
    let confirm: () => void = () => {}
    const publisher: Publisher = {
      publish: () =>
        new Promise((resolve) => {
          confirm = resolve
        }),
    }
    const { delivery, end } = settling(publisher)
    await vi.advanceTimersByTimeAsync(600_000)
    expect(delivery.settled).toEqual([])
    confirm()
    await end
    expect(delivery.settled).toEqual(['ack'])
  })

  it('repeats the publish until it succeeds, and never acks before', async () => {
    const publisher = new FailingPublisher(20)
    const { delivery, end, isSettled } = settling(publisher)
    while (publisher.tried.length < 20) {
      expect(delivery.settled).toEqual([])
      await vi.advanceTimersByTimeAsync(100)
    }
    await vi.advanceTimersByTimeAsync(10_000)
    await end
    expect(isSettled()).toBe(true)
    expect(publisher.tried).toHaveLength(21)
    expect(delivery.settled).toEqual(['ack'])
  })

  it('waits between two tries: from 100 ms up to 10 s', async () => {
    const publisher = new FailingPublisher(Number.POSITIVE_INFINITY)
    const { stop } = settling(publisher)
    await vi.advanceTimersByTimeAsync(99)
    expect(publisher.tried).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(publisher.tried.length).toBeGreaterThan(360)
    expect(publisher.tried.length).toBeLessThan(740)
    stop.abort()
    await vi.advanceTimersByTimeAsync(0)
  })

  it('says the first failure aloud and the others to who wants to know', async () => {
    const { log, end } = settling(new FailingPublisher(3))
    await vi.advanceTimersByTimeAsync(60_000)
    await end
    expect(log.lines.map(({ level, fields }) => [level, fields['attempt']])).toEqual([
      ['error', 1],
      ['debug', 2],
      ['debug', 3],
      ['warn', undefined],
    ])
    expect(log.lines[0]?.fields['reason']).toBe('Error: failure 1')
  })

  it('leaves a delivery whose session is gone to the broker', async () => {
    const publisher = new FailingPublisher(Number.POSITIVE_INFINITY)
    const { delivery, end } = settling(publisher)
    await vi.advanceTimersByTimeAsync(0)
    delivery.live = false
    await vi.advanceTimersByTimeAsync(200)
    await end
    expect(publisher.tried).toHaveLength(1)
    expect(delivery.settled).toEqual([])
  })

  it('publishes nothing for a delivery whose session is gone already', async () => {
    const delivery = new RecordingDelivery()
    delivery.live = false
    const publisher = new FailingPublisher(0)
    await settling(publisher, delivery).end
    expect(publisher.tried).toEqual([])
  })

  it('gives up when the daemon does, at once and without an ack', async () => {
    const publisher = new FailingPublisher(Number.POSITIVE_INFINITY)
    const { delivery, stop, end } = settling(publisher)
    await vi.advanceTimersByTimeAsync(60_000)
    const tried = publisher.tried.length
    stop.abort()
    await vi.advanceTimersByTimeAsync(0)
    await end
    expect(publisher.tried).toHaveLength(tried)
    expect(delivery.settled).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('goes without the properties of the message once the publisher says that they cannot be published', async () => {
    const unsayable = 'x'.repeat(300)
    const delivery = new RecordingDelivery({ body: 'kept', properties: { messageId: unsayable } })
    const tried: OutgoingMessage[] = []
    const publisher: Publisher = {
      // The broker is away at first, so it takes a second try to find out.
      async publish(message) {
        tried.push(message)
        if (tried.length === 1) throw new Error('UNREACHABLE')
        if (message.properties.messageId === unsayable)
          throw Object.assign(new Error('cannot be encoded'), { code: 'INVALID_MESSAGE' })
      },
    }
    const { stop } = settling(publisher, delivery)
    await vi.advanceTimersByTimeAsync(60_000)
    stop.abort()
    expect(delivery.settled).toEqual(['ack'])
    expect(tried.at(-1)).toMatchObject({ body: Buffer.from('kept'), properties: { deliveryMode: 2 } })
  })

  it('survives headers that no program can write again', async () => {
    let headers: Record<string, unknown> = {}
    for (let level = 0; level < 20_000; level += 1) headers = { a: headers }
    const delivery = new RecordingDelivery({ properties: { headers } })
    const publisher = new FailingPublisher(0)
    await expect(settling(publisher, delivery).end).resolves.toBeUndefined()
    expect(delivery.settled).toEqual(['ack'])
  })
})
