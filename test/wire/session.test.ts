import { describe, expect, it } from 'vitest'
import type { Delivery } from '../../src/bridge/ports.ts'
import { method } from '../support/amqp-frames.ts'
import { type Answers, connectionClose, delivery } from '../support/scripted-broker.ts'
import { openSession } from '../support/sessions.ts'
import { brokerThat } from './after-test.ts'

/* Sessions at peers that are no good brokers. */

describe('a session', () => {
  /** A session, what it delivers, and a way to speak for the broker. */
  async function sessionAt(answers: Answers = {}) {
    let channel = 0
    const broker = await brokerThat({
      ...answers,
      'basic.consume': (number) => {
        channel = number
        return Buffer.concat([method(number, [60, 21], Buffer.from('\x03tag')), delivery(number, 1)])
      },
    })
    let deliver: (delivery: Delivery) => void = () => {}
    const first = new Promise<Delivery>((resolve) => {
      deliver = resolve
    })
    const session = await openSession(broker.url, (each) => deliver(each))
    const say = (bytes: (channel: number) => Buffer) => {
      for (const socket of broker.sockets) socket.write(bytes(channel))
    }
    return { session, broker, say, delivery: await first }
  }

  it.each<[string, (channel: number) => Buffer, RegExp]>([
    [
      'its channel is closed',
      (channel) => method(channel, [20, 40], Buffer.from('\x01\x96\x04oops\0\0\0\0', 'latin1')),
      /oops/,
    ],
    ['its connection is closed', () => connectionClose(320, 'CONNECTION_FORCED'), /CONNECTION_FORCED/],
    [
      'its consumer is cancelled',
      (channel) => method(channel, [60, 30], Buffer.from('\x03tag\x01')),
      /cancelled/,
    ],
    [
      'the broker makes no sense',
      () => Buffer.alloc(100, 0xff),
      /^the broker announces a frame of 4294967303 bytes/,
    ],
  ])('ends when %s, and then settles nothing', async (_, bytes, reason) => {
    const { session, say, delivery: each } = await sessionAt()
    expect(each.live).toBe(true)
    say(bytes)
    expect(await session.ended).toMatch(reason)
    expect(each.live).toBe(false)
    expect(() => each.ack()).not.toThrow()
    await session.close()
  })

  it('ends when the connection is lost', async () => {
    const { session, broker, delivery: each } = await sessionAt()
    for (const socket of broker.sockets) socket.resetAndDestroy()
    await session.ended
    expect(() => each.requeue()).not.toThrow()
    await session.close()
  })

  it('lets a delivery be settled while the connection is on its way out', async () => {
    const { say, delivery: each } = await sessionAt({ 'connection.close': () => undefined })
    // A method that has no place on channel 0: amqplib says goodbye, waits for the answer, and sends nothing more.
    say(() => method(0, [60, 11]))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(() => each.ack()).not.toThrow()
  })
})
