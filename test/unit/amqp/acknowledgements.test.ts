import { setImmediate as turn } from 'node:timers/promises'
import type { Channel } from 'amqplib'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Acknowledgements, type AckPatience } from '../../../src/amqp/acknowledgements.ts'
import { liveBytes } from '../../support/heap.ts'
import { ScriptedChannel } from './scripted-channel.ts'

/** A channel with this many deliveries, tagged 1 to count. */
function delivered(count: number, patience?: AckPatience) {
  const channel = new ScriptedChannel()
  const acknowledgements = new Acknowledgements(channel.asChannel(), patience)
  for (let tag = 1; tag <= count; tag += 1) {
    channel.deliver()
    acknowledgements.expects(tag)
  }
  return { channel, acknowledgements }
}

/** Every order of the numbers 1 to count. */
function orders(count: number): number[][] {
  if (count === 0) return [[]]
  return orders(count - 1).flatMap((order) =>
    Array.from({ length: count }, (_, at) => [...order.slice(0, at), count, ...order.slice(at)]),
  )
}

afterEach(() => void vi.useRealTimers())

describe('acks', () => {
  it.each<[string, number[], number, number[]]>([
    ['of all, in order, are one frame', [1, 2, 3, 4], 1, []],
    ['of all, in any order, are one frame', [3, 1, 4, 2], 1, []],
    ['of the first ones are one frame', [2, 1], 1, [3, 4]],
    ['behind an unfinished one are a frame each', [2, 4], 2, [1, 3]],
    ['on both sides of an unfinished one: the first together, the rest alone', [1, 2, 4], 2, [3]],
    ['of one is one frame', [1], 1, [2, 3, 4]],
    ['of none are no frame', [], 0, [1, 2, 3, 4]],
  ])('%s', async (_, tags, frames, unacked) => {
    const { channel, acknowledgements } = delivered(4)
    for (const tag of tags) acknowledgements.ack(tag)
    expect(channel.frames).toBe(0)
    await turn()
    expect([channel.frames, [...channel.unacked], channel.closed]).toEqual([frames, unacked, undefined])
  })

  it('that have patience wait for one another while others are out, and not too many of them', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { channel, acknowledgements } = delivered(6, { milliseconds: 20, most: 3 })
    const framesAfter = async (tag: number) => {
      acknowledgements.ack(tag)
      await turn()
      return channel.frames
    }
    expect([await framesAfter(1), await framesAfter(2), await framesAfter(3)]).toEqual([0, 0, 1])
    expect(await framesAfter(5)).toBe(1)
    vi.advanceTimersByTime(20)
    expect([channel.frames, channel.acked]).toEqual([2, [1, 2, 3, 5]])
    // Nobody else would take the last one along.
    expect([await framesAfter(4), await framesAfter(6)]).toEqual([2, 3])
    expect([...channel.unacked]).toEqual([])
    vi.advanceTimersByTime(20)
    expect([channel.frames, channel.closed]).toEqual([3, undefined])
  })

  it('that wait are sent before the channel is closed, and not when it is gone', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const patience = { milliseconds: 20, most: 3 }
    const flushed = delivered(2, patience)
    flushed.acknowledgements.ack(1)
    flushed.acknowledgements.flush()
    expect(flushed.channel.acked).toEqual([1])
    const gone = delivered(2, patience)
    gone.acknowledgements.ack(1)
    gone.acknowledgements.close()
    vi.advanceTimersByTime(20)
    expect([flushed.channel.frames, gone.channel.frames]).toEqual([1, 0])
  })

  it('that close a gap settle nothing twice', async () => {
    const { channel, acknowledgements } = delivered(4)
    for (const tag of [2, 3, 1, 4]) {
      acknowledgements.ack(tag)
      await turn()
      expect([channel.unacked.has(tag), channel.closed]).toEqual([false, undefined])
    }
    expect([channel.acked, channel.frames]).toEqual([[2, 3, 1, 4], 4])
  })

  it('name a delivery that is still unacked, though the run ends with one that was requeued', async () => {
    const { channel, acknowledgements } = delivered(3)
    acknowledgements.ack(1)
    acknowledgements.ack(2)
    acknowledgements.requeue(3)
    await turn()
    expect([channel.acked, channel.requeued, channel.closed]).toEqual([[1, 2], [3], undefined])
  })

  it('of a run behind requeued ones are one frame', async () => {
    const { channel, acknowledgements } = delivered(4)
    for (const tag of [1, 2]) acknowledgements.requeue(tag)
    for (const tag of [3, 4]) acknowledgements.ack(tag)
    await turn()
    expect([channel.acked, channel.frames, channel.closed]).toEqual([[3, 4], 3, undefined])
  })

  it('of ever more deliveries behind one that does not end take no memory', () => {
    const acknowledgements = new Acknowledgements({ ack() {} } as unknown as Channel)
    const before = liveBytes()
    for (let tag = 2; tag <= 1_000_000; tag += 1) {
      acknowledgements.ack(tag)
      if (tag % 100 === 0) acknowledgements.flush()
    }
    // A Set of what is settled took 40 MiB, and holds 16.7 million at most.
    expect(liveBytes() - before).toBeLessThan(4 * 1024 * 1024)
    expect(acknowledgements.open).toBe(true)
  })
})

describe('a requeue', () => {
  it('is sent at once', () => {
    const { channel, acknowledgements } = delivered(3)
    acknowledgements.requeue(2)
    expect([channel.requeued, [...channel.unacked]]).toEqual([[2], [1, 3]])
  })
})

describe('the end', () => {
  it('sends what waits, when it is ours', () => {
    const { channel, acknowledgements } = delivered(3)
    for (const tag of [1, 3]) acknowledgements.ack(tag)
    acknowledgements.flush()
    acknowledgements.close()
    expect([channel.acked, channel.frames]).toEqual([[1, 3], 2])
  })

  it('sends nothing any more, when the channel is gone', async () => {
    const { channel, acknowledgements } = delivered(4)
    acknowledgements.ack(1)
    acknowledgements.close()
    acknowledgements.close()
    acknowledgements.ack(2)
    acknowledgements.requeue(3)
    acknowledgements.flush()
    await turn()
    expect([channel.frames, acknowledgements.open]).toEqual([0, false])
  })

  it('comes also when amqplib refuses to send', async () => {
    const { channel, acknowledgements } = delivered(2)
    channel.closed = 'by the server'
    acknowledgements.ack(1)
    await turn()
    expect(acknowledgements.open).toBe(false)
    expect(() => acknowledgements.requeue(2)).not.toThrow()
  })
})

describe('whatever the order', () => {
  it('of five acks, each alone or with others in its turn, each is settled once and at once', () => {
    for (const order of orders(5)) {
      for (let flushes = 0; flushes < 2 ** order.length; flushes += 1) {
        const { channel, acknowledgements } = delivered(5)
        for (const [index, tag] of order.entries()) {
          acknowledgements.ack(tag)
          if ((flushes >> index) % 2 === 1) acknowledgements.flush()
        }
        acknowledgements.flush()
        expect(channel.closed, `${order} ${flushes.toString(2)}`).toBeUndefined()
        expect(channel.acked.length).toBe(5)
      }
    }
  })

  it('of deliveries, acks, requeues and turns, the broker never hears of a tag twice, or too early', () => {
    type Step = { readonly do: 'deliver' | 'ack' | 'requeue' | 'flush'; readonly pick: number }
    const step: fc.Arbitrary<Step> = fc.record({
      do: fc.constantFrom('deliver', 'deliver', 'ack', 'ack', 'requeue', 'flush'),
      pick: fc.nat(1_000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const channel = new ScriptedChannel()
        const acknowledgements = new Acknowledgements(channel.asChannel())
        const running: number[] = []
        const [acks, requeues] = [new Set<number>(), new Set<number>()]
        const flushed = () => {
          acknowledgements.flush()
          expect(channel.closed).toBeUndefined()
          // All that is done is settled, the unfinished is not, and each once.
          expect([...channel.unacked]).toEqual(running.toSorted((a, b) => a - b))
          expect(channel.acked.toSorted((a, b) => a - b)).toEqual([...acks].sort((a, b) => a - b))
          expect(channel.requeued).toEqual([...requeues])
        }
        for (const { do: what, pick } of steps) {
          if (what === 'deliver') running.push(channel.deliver())
          else if (what === 'flush') flushed()
          else {
            const [tag] = running.splice(pick % Math.max(1, running.length), 1)
            if (tag === undefined) continue
            if (what === 'ack') acknowledgements.ack(tag)
            else acknowledgements.requeue(tag)
            ;(what === 'ack' ? acks : requeues).add(tag)
          }
        }
        flushed()
      }),
      { numRuns: 2_000 },
    )
  })
})
