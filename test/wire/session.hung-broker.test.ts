import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { method } from '../support/amqp-frames.ts'
import { eventually } from '../support/eventually.ts'
import { delivery, type ScriptedBroker } from '../support/scripted-broker.ts'
import { openSession } from '../support/sessions.ts'
import { brokerThat } from './after-test.ts'

/*
 * Brokers that answer no more, such as one whose quorum queue has no leader: nothing may wait for them without end, and
 * what is given up must not linger.
 */

/** Our deadlines for an answer, and for a goodbye. */
const [RPC, GOODBYE] = [10_000, 2_000]

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const open = ({ url }: ScriptedBroker, accept: () => void = () => {}) => openSession(url, accept)

const hungUp = (broker: ScriptedBroker) => eventually('it has hung up', () => broker.sockets.size === 0)

describe('an answer that never comes', () => {
  it.each(['channel.open', 'queue.declare', 'basic.qos', 'basic.consume'])('to %s', async (name) => {
    let asked = (): void => {}
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    const broker = await brokerThat({ [name]: () => void asked() })
    const opening = open(broker).catch((error: unknown) => error)
    await wasAsked
    await vi.advanceTimersByTimeAsync(RPC)
    expect(await opening).toMatchObject({
      code: 'UNREACHABLE',
      permanent: false,
      message: expect.stringContaining(`the broker has not answered ${name} for ${RPC} ms`),
    })
    await hungUp(broker)
  })

  it('to the goodbye: the session closes all the same, and so does its socket', async () => {
    const asked: string[] = []
    const broker = await brokerThat({
      'channel.close': (channel) => {
        // The look for the queue and the one at what it is have channels of their own, which close as usual.
        asked.push('channel.close')
        return asked.length > 2 ? undefined : method(channel, [20, 41])
      },
      'connection.close': () => void asked.push('connection.close'),
    })
    const session = await open(broker)
    const closing = session.close()
    await eventually('it says goodbye', () => asked.length === 3)
    await vi.advanceTimersByTimeAsync(RPC)
    await eventually('it does so again', () => asked.length === 4)
    await vi.advanceTimersByTimeAsync(GOODBYE)
    await closing
    expect(asked).toEqual(['channel.close', 'channel.close', 'channel.close', 'connection.close'])
    await hungUp(broker)
  })
})

it('a broker without heartbeats is left, and so is its socket', async () => {
  const broker = await brokerThat({})
  const session = await open({ ...broker, url: { ...broker.url, heartbeat: 1 } })
  for (const socket of broker.sockets) socket.allowHalfOpen = true
  expect(await session.ended).toBe('Heartbeat timeout')
  await session.close()
  await eventually('what is sent there is refused', () => {
    for (const socket of broker.sockets) socket.write('x')
    return broker.sockets.size === 0
  })
})

it('a reset in the middle of a frame ends the session, and what had not arrived is no delivery', async () => {
  const broker = await brokerThat({
    'basic.consume': (channel) => {
      const consuming = method(channel, [60, 21], Buffer.from('\x03tag'))
      return Buffer.concat([consuming, delivery(channel, 1), delivery(channel, 2).subarray(0, -3)])
    },
  })
  const accept = vi.fn()
  const session = await open(broker, accept)
  await eventually('the first has arrived', () => accept.mock.calls.length === 1)
  for (const socket of broker.sockets) socket.resetAndDestroy()
  expect(await session.ended).toBe('read ECONNRESET')
  expect(accept).toHaveBeenCalledOnce()
  await session.close()
})
