import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { OutgoingMessage } from '../../../src/bridge/ports.ts'
import { answer, connectFailure, notRead } from '../../support/answers.ts'
import { dispatcherOf, type WaitingRequest } from './waiting-pool.ts'

/* Messages that the pool leaves unread: since it dies, or since their scripts do. */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const settle = () => vi.advanceTimersByTimeAsync(0)
const isFor = (request: WaitingRequest, name: string) => request.body.toString().startsWith(name)

describe.each(['completed', 'dispatched'] as const)('what is unread (%s)', (ack) => {
  const broker = () => {
    const world = dispatcherOf({ ack, maxAttempts: ack === 'completed' ? 3 : 1, concurrency: 4, prefetch: 8 })
    let back = 0
    /** What was put back into its queue comes again. */
    const deliverAgain = () => {
      for (const { queue, headers, body } of world.published.slice(back)) {
        if (queue === 'commands') world.deliver(body.toString(), { headers: Object.fromEntries(headers) })
      }
      back = world.published.length
    }
    return { ...world, deliverAgain }
  }
  const deadOnes = (published: readonly OutgoingMessage[]) =>
    published.filter(({ queue }) => queue !== 'commands').map(({ body }) => body.toString())

  it('never counts while the pool goes away again and again', async () => {
    const { pool, published, deliver, deliverAgain } = broker()
    for (let n = 0; n < 4; n += 1) deliver(`{"n":${n}}`)
    for (let restart = 0; restart < 5; restart += 1) {
      await vi.advanceTimersByTimeAsync(2_000)
      for (const request of pool.requests.splice(0)) {
        request.onSent()
        request.fail(notRead())
      }
      await settle()
      for (const request of pool.requests.splice(0)) request.fail(connectFailure())
      await settle()
      deliverAgain()
    }
    expect(deadOnes(published)).toEqual([])
  })

  it('never counts while the pool dies again and again', async () => {
    const { pool, published, deliver, deliverAgain } = broker()
    for (let n = 0; n < 4; n += 1) deliver(`{"n":${n}}`)
    for (let turn = 0; turn < 20; turn += 1) {
      for (const request of pool.requests.splice(0)) {
        request.onSent()
        request.fail(notRead())
      }
      await settle()
      for (const request of pool.requests.splice(0)) request.fail(notRead())
      await vi.advanceTimersByTimeAsync(500)
      deliverAgain()
    }
    expect(deadOnes(published)).toEqual([])
  })

  it('counts where others are executed all the same', async () => {
    const { pool, published, deliver, deliverAgain } = broker()
    for (let n = 0; n < 3; n += 1) deliver(`{"bad":${n}}`)
    for (let turn = 0; turn < 200; turn += 1) {
      if (turn % 5 === 0) deliver(`{"good":${turn}}`)
      for (const request of pool.requests.splice(0)) {
        request.onSent()
        if (isFor(request, 'good')) request.succeed(answer(200))
        else request.fail(notRead())
      }
      await vi.advanceTimersByTimeAsync(250)
      deliverAgain()
    }
    expect(deadOnes(published).toSorted()).toEqual(['{"bad":0}', '{"bad":1}', '{"bad":2}'])
  })
})
