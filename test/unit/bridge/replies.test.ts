import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FinalOutcome } from '../../../src/bridge/outcome.ts'
import type { MessageProperties, OutgoingMessage, ReplyPublisher } from '../../../src/bridge/ports.ts'
import { Replies } from '../../../src/bridge/replies.ts'
import type { Result } from '../../../src/bridge/result.ts'
import { answer, connectionLost } from '../../support/answers.ts'
import { config, executionOf, RecordingDelivery, recordingEvents } from '../../support/recording.ts'

const DIRECT = 'amq.rabbitmq.reply-to.caller'
const EXECUTED: FinalOutcome = { kind: 'executed', status: 200 }
const ANSWERED: Result = {
  kind: 'answered',
  response: answer(200, { body: 'the answer', headers: { 'content-type': 'text/plain' } }),
}

interface Sent {
  readonly message: OutgoingMessage
  readonly alone: boolean
  readonly way: 'publish' | 'send'
  take(): void
  fail(code: string, cause?: Error): void
}

/** A publisher whose confirms are the test's. */
class WaitingPublisher implements ReplyPublisher {
  readonly sent: Sent[] = []

  publish(message: OutgoingMessage, alone = false): Promise<void> {
    return this.#wait(message, alone, 'publish')
  }

  send(message: OutgoingMessage, onSent: () => void, alone = false): Promise<void> {
    onSent()
    return this.#wait(message, alone, 'send')
  }

  #wait(message: OutgoingMessage, alone: boolean, way: Sent['way']): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (code: string, cause?: Error) =>
        reject(Object.assign(new Error(`it is ${code}`, { cause }), { code }))
      this.sent.push({ message, alone, way, take: resolve, fail })
    })
  }
}

function repliesOf(allowed: readonly string[] = ['*']) {
  const publisher = new WaitingPublisher()
  const events = recordingEvents()
  const replies = new Replies(allowed, config, publisher, events.tell)
  const ask = (
    properties: MessageProperties,
    { outcome = EXECUTED, result = ANSWERED, live = true }: Partial<Asked> = {},
  ) => {
    const execution = executionOf(new RecordingDelivery({ properties, live }))
    const state = { released: false }
    const waits = replies.answer({ execution, result, outcome }, outcome)
    if (waits === undefined) state.released = true
    void waits?.then(() => {
      state.released = true
    })
    return state
  }
  return { publisher, events, replies, ask }
}

interface Asked {
  readonly outcome: FinalOutcome
  readonly result: Result
  readonly live: boolean
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())
const settle = () => vi.advanceTimersByTimeAsync(0)

describe('who is answered', () => {
  it.each<[string, MessageProperties, Partial<Asked>]>([
    ['a message without reply_to', {}, {}],
    ['an empty reply_to', { replyTo: '' }, {}],
    [
      'one that is executed again',
      { replyTo: 'answers' },
      { outcome: { kind: 'retry', retryAfterMs: 0, reason: 'busy' } },
    ],
    ['one whose session has ended: it is delivered again', { replyTo: 'answers' }, { live: false }],
  ])('not %s', async (_, properties, asked) => {
    const { publisher, events, ask } = repliesOf()
    expect(ask(properties, asked)).toEqual({ released: true })
    await settle()
    expect(publisher.sent).toEqual([])
    expect(events.all).toEqual([])
  })

  it('not a queue that is not allowed; that is told, and holds nothing', () => {
    const { publisher, events, ask } = repliesOf([DIRECT])
    expect(ask({ replyTo: 'answers' })).toEqual({ released: true })
    expect(publisher.sent).toEqual([])
    expect(events.all).toMatchObject([{ kind: 'reply-failed', replyTo: 'answers', why: 'not-allowed' }])
  })

  it('gets what the worker has answered, with its correlation_id', async () => {
    const { publisher, ask } = repliesOf()
    ask({ replyTo: 'answers', correlationId: 'C-1' })
    await settle()
    expect(publisher.sent[0]?.message).toEqual({
      queue: 'answers',
      properties: { correlationId: 'C-1', contentType: 'text/plain', deliveryMode: 2 },
      headers: [
        ['outcome', 'executed'],
        ['status', 200],
      ],
      body: Buffer.from('the answer'),
    })
  })

  it('is told why where there is no answer, and that an answer is cut off', async () => {
    const { publisher, ask } = repliesOf()
    const reason = 'r'.repeat(1_000)
    const result: Result = { kind: 'failed', error: connectionLost(), unread: 0 }
    ask({ replyTo: 'answers' }, { result, outcome: { kind: 'dead-letter', cause: 'attempts', reason } })
    const cut: Result = { kind: 'answered', response: answer(200, { bodyTruncated: true }) }
    ask({ replyTo: 'answers' }, { result: cut })
    await settle()
    expect(publisher.sent.map(({ message }) => message.headers)).toEqual([
      [
        ['outcome', 'dead-letter'],
        ['reason', 'r'.repeat(200)],
      ],
      [
        ['outcome', 'executed'],
        ['status', 200],
        ['truncated', true],
      ],
    ])
    expect(publisher.sent[0]?.message.body).toHaveLength(0)
  })

  it('gets no property that AMQP cannot express', async () => {
    const { publisher, ask } = repliesOf()
    const headers = { 'content-type': 'ü'.repeat(200) }
    ask(
      { replyTo: 'answers', correlationId: '\ufffd'.repeat(100) },
      { result: { kind: 'answered', response: answer(200, { headers }) } },
    )
    await settle()
    expect(publisher.sent[0]?.message.properties).toEqual({ deliveryMode: 2 })
  })
})

describe('a reply on its way', () => {
  it('holds its message until the queue has it', async () => {
    const { publisher, events, ask } = repliesOf()
    const asked = ask({ replyTo: 'answers' })
    await settle()
    expect(asked.released).toBe(false)
    publisher.sent[0]?.take()
    await settle()
    expect(asked.released).toBe(true)
    expect(events.all).toMatchObject([{ kind: 'reply-published', replyTo: 'answers', bytes: 10 }])
  })

  it('to a caller without a queue holds its message until it is with the socket', async () => {
    const { publisher, events, replies, ask } = repliesOf()
    const asked = ask({ replyTo: DIRECT })
    await settle()
    expect(publisher.sent).toMatchObject([{ way: 'send', message: { properties: { deliveryMode: 1 } } }])
    expect(asked.released).toBe(true)
    expect(events.all).toEqual([])
    let idle = false
    void replies.idle().then(() => {
      idle = true
    })
    await settle()
    expect(idle).toBe(false)
    publisher.sent[0]?.take()
    await settle()
    expect(idle).toBe(true)
    expect(events.all).toMatchObject([{ kind: 'reply-published', replyTo: DIRECT }])
  })

  it.each([
    ['UNROUTABLE', 'unroutable'],
    ['NOT_CONFIRMED', 'not-taken'],
    ['UNANSWERED', 'not-taken'],
    ['BODY_TOO_LARGE', 'refused'],
    ['MESSAGE_REFUSED', 'refused'],
    ['INVALID_MESSAGE', 'refused'],
    ['CHANNEL_LIMIT', 'broker'],
  ])('that is %s is told of once, as %s, and not tried again', async (code, why) => {
    const { publisher, events, ask } = repliesOf()
    const asked = ask({ replyTo: 'answers' })
    await settle()
    publisher.sent[0]?.fail(code)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked.released).toBe(true)
    expect(publisher.sent).toHaveLength(1)
    expect(events.all).toMatchObject([{ kind: 'reply-failed', why, reason: `Error: it is ${code}` }])
  })

  it('that the user may not publish is not tried again', async () => {
    const { publisher, events, ask } = repliesOf()
    ask({ replyTo: 'answers' })
    await settle()
    publisher.sent[0]?.fail('CUT_OFF', Object.assign(new Error('ACCESS_REFUSED'), { code: 403 }))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(publisher.sent).toHaveLength(1)
    expect(events.all).toMatchObject([{ kind: 'reply-failed', why: 'forbidden' }])
  })

  it.each(['answers', DIRECT])(
    'to %s is tried again where another may have been to blame',
    async (replyTo) => {
      const { publisher, events, ask } = repliesOf()
      ask({ replyTo })
      await settle()
      publisher.sent[0]?.fail('SUSPECTED')
      await vi.advanceTimersByTimeAsync(1_000)
      expect(publisher.sent.map(({ alone }) => alone)).toEqual([false, true])
      publisher.sent[1]?.take()
      await settle()
      expect(events.kinds).toEqual(['reply-published'])
    },
  )

  it('is given up after 5 s, once; those behind it to the same queue at once, until it is out of the way', async () => {
    const { publisher, events, ask } = repliesOf()
    const first = ask({ replyTo: 'stuck' })
    await vi.advanceTimersByTimeAsync(4_999)
    expect(first.released).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(first.released).toBe(true)
    expect(ask({ replyTo: 'stuck' }).released).toBe(true)
    expect(publisher.sent).toHaveLength(1)
    expect(events.all).toMatchObject([
      { kind: 'reply-failed', why: 'late' },
      { kind: 'reply-failed', why: 'late' },
    ])
    ask({ replyTo: 'other' })
    await settle()
    expect(publisher.sent).toHaveLength(2)
    publisher.sent[0]?.fail('UNANSWERED')
    await settle()
    ask({ replyTo: 'stuck' })
    await settle()
    expect(publisher.sent).toHaveLength(3)
    expect(events.all).toHaveLength(2)
  })

  it('is not tried again once it is given up, and says what was wrong', async () => {
    const { publisher, events, ask } = repliesOf()
    ask({ replyTo: 'answers' })
    await settle()
    for (let second = 0; second < 60; second += 1) {
      publisher.sent.at(-1)?.fail('UNREACHABLE')
      await vi.advanceTimersByTimeAsync(1_000)
    }
    const tried = publisher.sent.length
    expect(tried).toBeGreaterThan(2)
    expect(tried).toBeLessThan(12)
    expect(events.all).toMatchObject([
      { kind: 'reply-failed', why: 'late', reason: expect.stringContaining('it is UNREACHABLE') },
    ])
  })
})

it('replies that were given up take no more than so much memory', async () => {
  const { publisher, ask } = repliesOf()
  const response = { ...answer(200), body: Buffer.alloc(33 * 1024 * 1024) }
  for (const replyTo of ['a', 'b']) ask({ replyTo }, { result: { kind: 'answered', response } })
  await vi.advanceTimersByTimeAsync(5_000)
  expect(ask({ replyTo: 'c' }).released).toBe(true)
  expect(publisher.sent).toHaveLength(2)
  publisher.sent[0]?.take()
  await settle()
  ask({ replyTo: 'd' })
  await settle()
  expect(publisher.sent).toHaveLength(3)
})
