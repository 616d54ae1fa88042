import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Domain } from '../../../src/bridge/domain.ts'
import type { MessageProperties, OutgoingMessage, ReplyPublisher } from '../../../src/bridge/ports.ts'
import {
  config,
  FailingPublisher,
  RecordingDelivery,
  RecordingIntake,
  recordingEvents,
} from '../../support/recording.ts'
import { WaitingPool } from './waiting-pool.ts'

/* Messages in the work queue that are for the daemon. */

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const DIRECT = 'amq.rabbitmq.reply-to.x'
const settle = () => vi.advanceTimersByTimeAsync(0)

function bridgeWithDesk() {
  const [pool, events, copies] = [new WaitingPool(), recordingEvents(), new FailingPublisher()]
  const desk = {
    ended: 0,
    report: () => Buffer.from('{"daemon_id":"D-1"}'),
    answerRefusal: (replyTo: string) => (replyTo === 'commands' ? 'it is its own' : undefined),
    shutDown() {
      desk.ended += 1
    },
  }
  const answers: OutgoingMessage[] = []
  const replyPublisher: ReplyPublisher = {
    publish: async (message) => void answers.push(message),
    send: async (message) => void answers.push(message),
  }
  const domain = new Domain(config, {
    client: pool,
    publisher: copies,
    replyPublisher,
    intake: new RecordingIntake(),
    control: desk,
    tell: events.tell,
    signal: new AbortController().signal,
  })
  const deliver = (type: string, properties: MessageProperties = {}, live = true) => {
    const delivery = new RecordingDelivery({ properties: { type, ...properties }, live })
    domain.dispatcher.accept(delivery)
    return delivery
  }
  return { pool, events, copies, desk, answers, domain, deliver }
}

describe('ping', () => {
  it('is answered and acked, and nothing else happens', async () => {
    const { answers, events, pool, deliver } = bridgeWithDesk()
    const delivery = deliver('fpm-bridge.ping', { replyTo: DIRECT, correlationId: 'c-1' })
    await settle()
    expect(delivery.settled).toEqual(['ack'])
    expect(answers).toMatchObject([
      { queue: DIRECT, properties: { correlationId: 'c-1' }, body: Buffer.from('{"daemon_id":"D-1"}') },
    ])
    expect([pool.requests.length, events.kinds]).toEqual([0, ['control-message']])
  })

  it('is acked without an answer where nobody wants one, or nobody may get one', async () => {
    const { answers, events, deliver } = bridgeWithDesk()
    const all = [undefined, '', 'commands'].map((replyTo) => deliver('fpm-bridge.ping', { replyTo }))
    await settle()
    expect(all.map(({ settled }) => settled)).toEqual([['ack'], ['ack'], ['ack']])
    expect(answers).toEqual([])
    expect(events.of('control-message').map(({ refusal }) => refusal)).toEqual([
      undefined,
      undefined,
      'it is its own',
    ])
  })

  it('passes while all slots are busy, and while it is paused', async () => {
    const { answers, pool, domain, deliver } = bridgeWithDesk()
    for (let n = 0; n < 3; n += 1) deliver('work')
    await settle()
    expect(pool.requests).toHaveLength(config.concurrency)
    void domain.pause.begin({ kind: 'drain' })
    deliver('fpm-bridge.ping', { replyTo: DIRECT })
    await settle()
    expect(answers).toHaveLength(1)
  })
})

describe('shutdown', () => {
  it('is acked before the process ends', () => {
    const { desk, deliver } = bridgeWithDesk()
    expect(deliver('fpm-bridge.shutdown').settled).toEqual(['ack'])
    expect(desk.ended).toBe(1)
  })

  it('is for one daemon: another one gets the next', () => {
    const { desk, deliver } = bridgeWithDesk()
    const [first, second] = [deliver('fpm-bridge.shutdown'), deliver('fpm-bridge.shutdown')]
    expect([first.settled, second.settled, desk.ended]).toEqual([['ack'], ['requeue'], 1])
  })

  it('of a session that has ended comes again', () => {
    const { desk, deliver } = bridgeWithDesk()
    deliver('fpm-bridge.shutdown', {}, false)
    expect(desk.ended).toBe(0)
  })
})

it.each(['fpm-bridge.', 'fpm-bridge.PING', 'fpm-bridge.ping '])('%j is dead-lettered', async (type) => {
  const { copies, events, pool, deliver } = bridgeWithDesk()
  const delivery = deliver(type)
  await settle()
  expect(copies.tried).toMatchObject([{ queue: 'commands.dead', properties: { type } }])
  expect(delivery.settled).toEqual(['ack'])
  expect(events.of('settled')).toMatchObject([{ outcome: { kind: 'dead-letter', cause: 'control' } }])
  expect(pool.requests).toEqual([])
})

it.each(['fpm-bridge', 'fpm-bridge2.ping', 'app.fpm-bridge.ping'])('%j is for the worker', async (type) => {
  const { pool, deliver } = bridgeWithDesk()
  deliver(type)
  await settle()
  expect(pool.requests).toHaveLength(1)
})
