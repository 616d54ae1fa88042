import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BridgePolicy, OutgoingMessage, Publisher } from '../../../src/bridge/ports.ts'
import { RecordingDelivery } from '../../support/recording.ts'
import { finished, settlementWith } from '../../support/settling.ts'

/*
 * Messages that are executed, and whose copies cannot be published.
 */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Takes nothing until it is told to. */
class ClosedPublisher implements Publisher {
  readonly tried: { readonly message: OutgoingMessage; readonly alone: boolean }[] = []
  code = 'NOT_CONFIRMED'
  open = false

  async publish(message: OutgoingMessage, alone = false): Promise<void> {
    this.tried.push({ message, alone })
    if (!this.open) throw Object.assign(new Error('it is closed'), { code: this.code })
  }
}

function parkingWith(given: Partial<BridgePolicy> = {}) {
  const publisher = new ClosedPublisher()
  const { settlement, events, intake, stop } = settlementWith(publisher, { prefetch: 4, ...given })
  const deadLetter = (delivery: RecordingDelivery) =>
    settlement.settle(finished(delivery), { kind: 'dead-letter', cause: 'rejected', reason: 'a reason' })
  return { publisher, settlement, events, intake, stop, deadLetter }
}

const delivered = (
  messageId: string,
  more: { redelivered?: boolean; body?: string; deliveryTag?: number } = {},
) => new RecordingDelivery({ properties: { messageId }, ...more })

describe('a message whose copy cannot be published', () => {
  it('is waited for for five seconds, then it is parked, unacked, and told by name', async () => {
    const { deadLetter, events } = parkingWith()
    const delivery = delivered('m-1')
    let settling = true
    void Promise.resolve(deadLetter(delivery)).then(() => {
      settling = false
    })
    await vi.advanceTimersByTimeAsync(4_999)
    expect(settling).toBe(true)
    await vi.advanceTimersByTimeAsync(1)
    expect([settling, delivery.settled]).toEqual([false, []])
    expect(events.of('parked')).toMatchObject([
      {
        copy: { execution: { messageId: 'm-1' } },
        copyTo: 'commands.dead',
        cause: expect.stringContaining('it is closed'),
        parked: 1,
      },
    ])
  })

  it('is parked at once where the broker takes no such message; then it is tried more and more seldom', async () => {
    const { deadLetter, publisher, events } = parkingWith()
    publisher.code = 'MESSAGE_REFUSED'
    await deadLetter(delivered('m-1'))
    expect(events.of('parked')).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(publisher.tried.length).toBeLessThan(20)
  })

  it('is settled when its copy is published at last', async () => {
    const { deadLetter, publisher, events } = parkingWith()
    const delivery = delivered('m-1')
    await Promise.all([deadLetter(delivery), vi.advanceTimersByTimeAsync(6_000)])
    publisher.open = true
    await vi.advanceTimersByTimeAsync(10_000)
    expect(delivery.settled).toEqual(['ack'])
    expect(events.of('settled')).toMatchObject([{ by: 'copy', outcome: { kind: 'dead-letter' }, parked: 0 }])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('takes nobody else the place: more deliveries are asked for', async () => {
    const { deadLetter, intake } = parkingWith()
    const asked: number[] = []
    for (let n = 1; n <= 6; n += 1) {
      await Promise.all([deadLetter(delivered(`m-${n}`)), vi.advanceTimersByTimeAsync(5_000)])
      asked.push(intake.asked.length)
    }
    expect(asked).toEqual([0, 1, 1, 2, 2, 3])
    expect(new Set(intake.asked)).toEqual(new Set(['widen']))
  })

  it('is told of again after a minute, and every ten minutes', async () => {
    const { deadLetter, events } = parkingWith()
    await Promise.all([deadLetter(delivered('m-1')), vi.advanceTimersByTimeAsync(5_000)])
    const reminders = async (milliseconds: number) => {
      await vi.advanceTimersByTimeAsync(milliseconds)
      return events.of('still-parked').length
    }
    expect([await reminders(59_000), await reminders(2_000)]).toEqual([0, 1])
    expect([await reminders(598_000), await reminders(4_000)]).toEqual([1, 2])
    expect(events.of('still-parked')[0]?.summary).toMatchObject({
      parked: 1,
      copyTo: ['commands.dead'],
      messageIds: ['m-1'],
    })
  })

  it('cuts off nobody else again once the broker has closed the channel over it', async () => {
    const { deadLetter, publisher } = parkingWith()
    publisher.code = 'SUSPECTED'
    await Promise.all([deadLetter(delivered('m-1')), vi.advanceTimersByTimeAsync(5_000)])
    expect(publisher.tried.map(({ alone }) => alone)).toEqual([
      false,
      ...Array(publisher.tried.length - 1).fill(true),
    ])
  })

  it('nor when three connections have ended under it', async () => {
    const { deadLetter, publisher } = parkingWith()
    publisher.code = 'CUT_OFF'
    await Promise.all([deadLetter(delivered('m-1')), vi.advanceTimersByTimeAsync(20_000)])
    expect(publisher.tried.slice(0, 4).map(({ alone }) => alone)).toEqual([false, false, false, true])
  })
})

describe('a parked message', () => {
  it('goes back before the broker loses its patience, and is parked again when it comes', async () => {
    const { deadLetter, settlement, publisher, events } = parkingWith({ consumerTimeout: 180_000 })
    const delivery = delivered('m-1')
    await Promise.all([deadLetter(delivery), vi.advanceTimersByTimeAsync(119_000)])
    expect(delivery.settled).toEqual([])
    await vi.advanceTimersByTimeAsync(3_000)
    expect(delivery.settled).toEqual(['requeue'])
    const other = delivered('m-2', { redelivered: true })
    const again = delivered('m-1', { redelivered: true, deliveryTag: 9 })
    expect([settlement.takeBack(other), settlement.takeBack(again)]).toEqual([false, true])
    expect(settlement.takeBack(delivered('m-1', { redelivered: true }))).toBe(false)
    publisher.open = true
    await vi.advanceTimersByTimeAsync(20_000)
    expect(again.settled).toEqual(['ack'])
    expect(publisher.tried.at(-1)?.message.queue).toBe('commands.dead')
    expect(events.of('parked-again')).toHaveLength(1)
    expect(events.all.at(-1)).toMatchObject({ execution: { messageId: 'm-1', deliveryTag: 9 }, parked: 0 })
  })

  it('goes back earlier once the broker has shown that it waits no longer', async () => {
    const { deadLetter, settlement } = parkingWith({ consumerTimeout: 1_800_000 })
    settlement.shorten(20_000)
    const delivery = delivered('m-1')
    await Promise.all([deadLetter(delivery), vi.advanceTimersByTimeAsync(9_000)])
    expect(delivery.settled).toEqual([])
    await vi.advanceTimersByTimeAsync(3_000)
    expect(delivery.settled).toEqual(['requeue'])
  })

  it('is recognised in the next session', async () => {
    const { deadLetter, settlement, publisher } = parkingWith()
    const delivery = delivered('m-1')
    await Promise.all([deadLetter(delivery), vi.advanceTimersByTimeAsync(6_000)])
    delivery.live = false
    // At once, when the old one's next try is still to come.
    const again = delivered('m-1', { redelivered: true })
    expect(settlement.takeBack(again)).toBe(true)
    publisher.open = true
    await vi.advanceTimersByTimeAsync(20_000)
    expect([delivery.settled, again.settled, vi.getTimerCount()]).toEqual([[], ['ack'], 0])
  })

  it('is recognised without an id by what it is', async () => {
    const { deadLetter, settlement } = parkingWith()
    const delivery = new RecordingDelivery({ body: 'a'.repeat(100_000) })
    await Promise.all([deadLetter(delivery), vi.advanceTimersByTimeAsync(6_000)])
    delivery.live = false
    await vi.advanceTimersByTimeAsync(20_000)
    const bodies = [
      'a'.repeat(99_999),
      `${'a'.repeat(99_999)}b`,
      `b${'a'.repeat(99_999)}`,
      'a'.repeat(100_000),
    ]
    expect(bodies.map((body) => settlement.takeBack(new RecordingDelivery({ body })))).toEqual([
      false,
      false,
      false,
      true,
    ])
  })

  it('is forgotten an hour after somebody else has got it', async () => {
    const { deadLetter, settlement } = parkingWith()
    const delivery = delivered('m-1')
    await Promise.all([deadLetter(delivery), vi.advanceTimersByTimeAsync(6_000)])
    delivery.live = false
    await vi.advanceTimersByTimeAsync(3_700_000)
    expect(settlement.takeBack(delivered('m-1', { redelivered: true }))).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('goes back when the daemon drains, and so does what would be parked after that', async () => {
    const { deadLetter, settlement, publisher, events } = parkingWith()
    const parked = delivered('m-1')
    await Promise.all([deadLetter(parked), vi.advanceTimersByTimeAsync(6_000)])
    const late = delivered('m-2')
    const end = deadLetter(late)
    settlement.drain()
    expect([parked.settled, late.settled]).toEqual([['requeue'], []])
    expect(events.of('parked-handed-back')).toMatchObject([{ summary: { parked: 1, messageIds: ['m-1'] } }])
    await Promise.all([end, vi.advanceTimersByTimeAsync(5_000)])
    expect(late.settled).toEqual(['requeue'])
    expect(events.of('unsettled')).toMatchObject([{ copy: { execution: { messageId: 'm-2' } } }])
    const tried = publisher.tried.length
    await vi.advanceTimersByTimeAsync(60_000)
    expect([publisher.tried.length, vi.getTimerCount()]).toEqual([tried, 0])
  })
})

it('no more than 64 MiB are parked, and the operator hears of it once', async () => {
  const { deadLetter, events, publisher } = parkingWith()
  const bodies = Array.from({ length: 4 }, (_, n) =>
    delivered(`m-${n}`, { body: 'x'.repeat(30 * 1024 * 1024) }),
  )
  const ends = bodies.map((delivery) => deadLetter(delivery))
  await vi.advanceTimersByTimeAsync(10_000)
  expect([events.of('parked').length, events.of('parking-full').length]).toEqual([2, 1])
  publisher.open = true
  await vi.advanceTimersByTimeAsync(20_000)
  await Promise.all(ends)
  expect(bodies.map(({ settled }) => settled)).toEqual(Array(4).fill(['ack']))
})
