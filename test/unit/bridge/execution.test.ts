import { describe, expect, it } from 'vitest'
import { Executor } from '../../../src/bridge/execution.ts'
import type { BridgePolicy } from '../../../src/bridge/ports.ts'
import {
  type FastCgiClient,
  FastCgiError,
  type FastCgiRequest,
  type FastCgiResponse,
} from '../../../src/fastcgi/types.ts'
import { answer, connectFailure, connectionLost, fileNotFound, notRead, sendFailure } from './answers.ts'
import { config, RecordingDelivery, recordingLog } from './recording.ts'

type Answer = (request: FastCgiRequest) => FastCgiResponse | Promise<FastCgiResponse>

const COMPLETED = { ack: 'completed', maxAttempts: 5 } as const
const DISPATCHED = { ack: 'dispatched', maxAttempts: 1 } as const

/** Sends the request whole, then answers so. */
const sent =
  (result: () => FastCgiResponse): Answer =>
  ({ onSent }) => {
    onSent?.()
    return result()
  }

function fails(error: unknown): never {
  throw error
}

function executorOf(answers: Answer, given: Partial<BridgePolicy> = COMPLETED) {
  const requests: FastCgiRequest[] = []
  const client: FastCgiClient = {
    async request(request) {
      requests.push(request)
      return answers(request)
    },
    async probe() {},
    close() {},
  }
  const log = recordingLog()
  return { executor: new Executor({ ...config, ...given }, client, log), requests, log }
}

const succeeds = sent(() => answer(200))

describe('the number of an attempt', () => {
  const attemptAfter = async (forged: unknown, given: Partial<BridgePolicy> = COMPLETED) => {
    const headers = forged === undefined ? {} : { 'x-fpm-bridge-attempt': forged }
    const { executor, requests } = executorOf(succeeds, given)
    const { ended } = await executor.execute(new RecordingDelivery({ properties: { headers } }))
    expect(requests[0]?.params['AMQP_ATTEMPT']).toBe(String(ended.attempt))
    return ended.attempt
  }

  it.each<[string, unknown, number]>([
    ['no header', undefined, 1],
    ['0', 0, 1],
    ['1', 1, 2],
    ['4', 4, 5],
    ['5, as many as there are', 5, 5],
    ['99', 99, 5],
    ['-1', -1, 1],
    ['-99', -99, 1],
    ['1.5', 1.5, 1],
    ['NaN', Number.NaN, 1],
    ['Infinity', Number.POSITIVE_INFINITY, 1],
    ['2 ** 53 - 1', 2 ** 53 - 1, 5],
    ['2 ** 53', 2 ** 53, 1],
    ['a string', '3', 1],
    ['words', 'abc', 1],
    ['true', true, 1],
    ['null', null, 1],
    ['a list', [3], 1],
    ['a table', { valueOf: 3 }, 1],
    ['a typed value', { '!': 'int32', value: 3 }, 1],
  ])('after %s', async (_, forged, attempt) => {
    expect(await attemptAfter(forged)).toBe(attempt)
  })

  it('is 1 with dispatched, whatever a message says', async () => {
    expect(await attemptAfter(4, DISPATCHED)).toBe(1)
  })

  it('runs once and is then dead-lettered when it is forged to be the last', async () => {
    const { executor, requests } = executorOf(sent(() => answer(500)))
    const headers = { 'x-fpm-bridge-attempt': 99 }
    const { outcome } = await executor.execute(new RecordingDelivery({ properties: { headers } }))
    expect(requests).toHaveLength(1)
    expect(outcome.kind).toBe('dead-letter')
  })

  it('does not count what has not become a request', async () => {
    const { executor } = executorOf(succeeds)
    const { ended } = await executor.execute(new RecordingDelivery({ body: 'no JSON' }))
    expect(ended.attempt).toBe(0)
  })

  it('does not count what no record can carry', async () => {
    const error = new FastCgiError('INVALID_REQUEST', 'connect', 'a param is too long')
    const { executor } = executorOf(() => fails(error))
    const { ended } = await executor.execute(new RecordingDelivery())
    expect(ended.attempt).toBe(0)
  })
})

describe('the ack that follows a dispatch', () => {
  it.each<[string, Partial<BridgePolicy>, Answer, boolean]>([
    ['of a request that was sent', DISPATCHED, succeeds, true],
    ['of one that is lost later', DISPATCHED, sent(() => fails(connectionLost())), true],
    ['of one whose script is not there', DISPATCHED, sent(fileNotFound), true],
    ['not of one that was answered before', DISPATCHED, () => answer(200), false],
    ['not of one that was not sent', DISPATCHED, () => fails(connectFailure()), false],
    ['not of one that was sent in part', DISPATCHED, () => fails(sendFailure()), false],
    ['not with completed', COMPLETED, succeeds, false],
  ])('%s', async (_, given, answers, acked) => {
    const { executor } = executorOf(answers, given)
    const delivery = new RecordingDelivery()
    expect((await executor.execute(delivery)).acked).toBe(acked)
    expect(delivery.settled).toEqual(acked ? ['ack'] : [])
  })

  it('is none when the session has ended: the broker delivers the message again', async () => {
    const { executor } = executorOf(sent(fileNotFound), DISPATCHED)
    const { acked } = await executor.execute(new RecordingDelivery({ live: false }))
    expect(acked).toBe(false)
  })

  it('stays when its session ends before the unread request is sent once more', async () => {
    const delivery = new RecordingDelivery()
    const { executor } = executorOf(
      sent(() => {
        delivery.live = false
        return fails(notRead())
      }),
      DISPATCHED,
    )
    expect((await executor.execute(delivery)).acked).toBe(true)
  })
})

describe('an execution', () => {
  it('is told by its ids, its attempt and its duration', async () => {
    const { executor, requests } = executorOf(succeeds)
    const delivery = new RecordingDelivery({ deliveryTag: 7, properties: { messageId: 'm-1' } })
    const { ended } = await executor.execute(delivery)
    expect(ended).toEqual({
      deliveryTag: 7,
      messageId: 'm-1',
      attempt: 1,
      executionId: requests[0]?.params['AMQP_EXECUTION_ID'],
      durationMs: expect.any(Number),
      unread: 0,
    })
  })

  it.each<[string, unknown, string]>([
    ['a failure to connect', connectFailure(), 'hold'],
    ['a connection that is lost', connectionLost(), 'retry'],
    ['an error that the client does not promise', new TypeError('a fault of the client'), 'retry'],
  ])('never rejects: %s', async (_, error, kind) => {
    const { executor } = executorOf(() => fails(error))
    expect((await executor.execute(new RecordingDelivery())).outcome.kind).toBe(kind)
  })

  it('never rejects: a fault of ours while the request is prepared', async () => {
    const { executor, requests } = executorOf(succeeds)
    const delivery = new RecordingDelivery()
    Object.defineProperty(delivery, 'body', {
      get: () => fails(new RangeError('out of range')),
    })
    expect((await executor.execute(delivery)).outcome).toMatchObject({
      kind: 'dead-letter',
      reason: 'internal fault: RangeError: out of range',
    })
    expect(requests).toHaveLength(0)
  })

  it('shows what its worker does not get to see', async () => {
    const { executor, log } = executorOf(succeeds)
    await executor.execute(new RecordingDelivery({ deliveryTag: 3, properties: { type: 'a\0' } }))
    expect(log.lines[0]).toMatchObject({ level: 'warn', fields: { deliveryTag: 3 } })
  })
})

describe('a success with a part of its form', () => {
  const warnings = async (stderr: string, status = 200, payload: BridgePolicy['payload'] = 'form') => {
    const { executor, log } = executorOf(
      sent(() => answer(status, { stderr })),
      { ...COMPLETED, payload },
    )
    await executor.execute(new RecordingDelivery({ properties: { messageId: 'm-1' } }))
    return log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields)
  }

  it.each([
    'PHP Request Startup: POST Content-Length of 20971545 bytes exceeds the limit of 8388608 bytes in Unknown on line 0',
    'POST Content-Length of 20971545 bytes exceeds the limit of 8388608 bytes in Unknown on line 0',
    'Unknown: Input variables exceeded 1000. To increase the limit change max_input_vars in php.ini. in Unknown on line 0',
  ])('is warned of: %s', async (warning) => {
    const stderr = `PHP message: PHP Warning:  ${warning}`
    expect(await warnings(stderr)).toMatchObject([{ messageId: 'm-1', stderr }])
    expect(await warnings(stderr, 500)).toEqual([])
    expect(await warnings(stderr, 200, 'raw')).toEqual([])
    expect(await warnings(`PHP message: not ${warning}`)).toEqual([])
  })
})

describe('what the pool has not read', () => {
  const unread = (headers: Record<string, unknown> = {}) => new RecordingDelivery({ properties: { headers } })

  it('is sent once more at once, on a connection of its own', async () => {
    let first = true
    const { executor, requests } = executorOf(
      sent(() => {
        if (!first) return answer(200)
        first = false
        return fails(notRead())
      }),
    )
    const { outcome, ended } = await executor.execute(unread())
    expect([outcome.kind, ended.attempt, ended.unread]).toEqual(['executed', 1, 0])
    expect(requests.map(({ fresh }) => fresh)).toEqual([false, true])
    expect(requests[1]?.params).toEqual(requests[0]?.params)
  })

  it('counts with the third time in a row, and then all three do', async () => {
    const { executor, requests } = executorOf(() => fails(notRead()))
    const delivery = unread()
    const first = await executor.execute(delivery)
    expect([first.outcome.kind, first.ended.attempt, first.ended.unread]).toEqual(['doubt', 1, 2])
    const second = await executor.execute(delivery)
    expect([second.outcome.kind, second.ended.attempt, second.ended.unread]).toEqual(['doubt', 3, 3])
    expect(second.outcome).toMatchObject({ fault: { kind: 'retry' } })
    expect(requests).toHaveLength(3)
  })

  it('does not count twice what counted each time, since it was too large for one write', async () => {
    const { executor } = executorOf(() => fails(sendFailure()))
    let headers = {}
    for (let attempt = 1; attempt <= 4; attempt += 1) {
      const { outcome, ended } = await executor.execute(unread(headers))
      expect([outcome.kind, ended.attempt]).toEqual(['retry', attempt])
      headers = { 'x-fpm-bridge-attempt': ended.attempt, 'x-fpm-bridge-unread': ended.unread }
    }
  })

  it('counts each time after that, as its copy tells', async () => {
    const { executor, requests } = executorOf(() => fails(notRead()))
    const { outcome, ended } = await executor.execute(
      unread({ 'x-fpm-bridge-unread': 3, 'x-fpm-bridge-attempt': 3 }),
    )
    expect([outcome.kind, ended.attempt, ended.unread, requests.length]).toEqual(['doubt', 4, 4, 1])
  })

  it.each<[string, unknown]>([
    ['-5', -5],
    ['a string', '2'],
    ['NaN', Number.NaN],
  ])('believes no count of %s', async (_, forged) => {
    const { executor } = executorOf(() => fails(notRead()))
    expect((await executor.execute(unread({ 'x-fpm-bridge-unread': forged }))).ended.unread).toBe(2)
  })

  it('is counted for each delivery of its own, and only that', async () => {
    let error = sendFailure()
    const { executor } = executorOf(() => fails(error), DISPATCHED)
    const [poison, other] = [new RecordingDelivery(), new RecordingDelivery()]
    const outcomeOf = async (delivery: RecordingDelivery) => {
      const { outcome } = await executor.execute(delivery)
      return 'fault' in outcome ? (outcome.fault?.kind ?? outcome.kind) : outcome.kind
    }
    for (let upload = 1; upload <= 2; upload += 1) expect(await outcomeOf(poison)).toBe('doubt')
    error = connectFailure()
    expect(await outcomeOf(poison)).toBe('hold')
    error = sendFailure()
    expect(await outcomeOf(other)).toBe('doubt')
    expect(await outcomeOf(poison)).toBe('dead-letter')
  })
})

describe('a worker that says what time it is', () => {
  const saying = (clock: number | string) =>
    executorOf(sent(() => answer(503, { headers: { 'x-bridge-clock': String(clock) } })))
  const now = () => Math.round(Date.now() / 1_000)

  it.each([
    ['ahead', 3_600],
    ['behind', -86_400],
  ])('is warned of, once, when its clock is %s', async (_, seconds) => {
    const { executor, log } = saying(now() + seconds)
    for (let turn = 0; turn < 3; turn += 1) await executor.execute(new RecordingDelivery())
    const warnings = log.lines.filter(({ message }) => message.startsWith('The clock of the pool'))
    expect(warnings).toEqual([expect.objectContaining({ level: 'warn' })])
    expect(Math.abs((warnings[0]?.fields['aheadSeconds'] as number) - seconds)).toBeLessThanOrEqual(1)
  })

  it.each([
    ['the same', now()],
    ['nonsense', 'soon'],
    ['empty', ''],
  ])('is not when it says %s', async (_, clock) => {
    const { executor, log } = saying(clock)
    await executor.execute(new RecordingDelivery())
    expect(log.lines.filter(({ level }) => level !== 'debug')).toEqual([])
  })
})
