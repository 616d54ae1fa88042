import { describe, expect, it } from 'vitest'
import type { BridgePolicy } from '../../../src/bridge/ports.ts'
import { FastCgiError } from '../../../src/fastcgi/types.ts'
import {
  answer,
  connectFailure,
  connectionLost,
  fileNotFound,
  notRead,
  sendFailure,
} from '../../support/answers.ts'
import { RecordingDelivery } from '../../support/recording.ts'
import { type Answer, COMPLETED, DISPATCHED, fails, runnerOf, sent, succeeds } from './answering-pool.ts'

describe('the number of an attempt', () => {
  const attemptAfter = async (forged: unknown, given: Partial<BridgePolicy> = COMPLETED) => {
    const headers = forged === undefined ? {} : { 'x-fpm-bridge-attempt': forged }
    const { execute, requests } = runnerOf(succeeds, given)
    const { execution } = await execute(new RecordingDelivery({ properties: { headers } }))
    expect(requests[0]?.params['AMQP_ATTEMPT']).toBe(String(execution.attempt))
    return execution.attempt
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
    const { execute, requests } = runnerOf(sent(() => answer(500)))
    const headers = { 'x-fpm-bridge-attempt': 99 }
    const { outcome } = await execute(new RecordingDelivery({ properties: { headers } }))
    expect(requests).toHaveLength(1)
    expect(outcome.kind).toBe('dead-letter')
  })

  it('does not count what has not become a request', async () => {
    const { execute } = runnerOf(succeeds)
    const { execution } = await execute(new RecordingDelivery({ body: 'no JSON' }))
    expect(execution.attempt).toBe(0)
  })

  it('does not count what no record can carry', async () => {
    const error = new FastCgiError('INVALID_REQUEST', 'connect', 'a param is too long')
    const { execute } = runnerOf(() => fails(error))
    const { execution } = await execute(new RecordingDelivery())
    expect(execution.attempt).toBe(0)
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
    const { execute } = runnerOf(answers, given)
    const delivery = new RecordingDelivery()
    expect((await execute(delivery)).execution.acked).toBe(acked)
    expect(delivery.settled).toEqual(acked ? ['ack'] : [])
  })

  it('is none when the session has ended: the broker delivers the message again', async () => {
    const { execute } = runnerOf(sent(fileNotFound), DISPATCHED)
    const { execution } = await execute(new RecordingDelivery({ live: false }))
    expect(execution.acked).toBe(false)
  })

  it('stays when its session ends before the unread request is sent once more', async () => {
    const delivery = new RecordingDelivery()
    const { execute } = runnerOf(
      sent(() => {
        delivery.live = false
        return fails(notRead())
      }),
      DISPATCHED,
    )
    expect((await execute(delivery)).execution.acked).toBe(true)
    expect(delivery.settled).toEqual(['ack'])
  })
})

describe('an execution', () => {
  it('is told by its ids, its attempt and its duration', async () => {
    const { execute, requests } = runnerOf(succeeds)
    const delivery = new RecordingDelivery({ deliveryTag: 7, properties: { messageId: 'm-1' } })
    const { execution } = await execute(delivery)
    expect(execution).toMatchObject({
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
    const { execute } = runnerOf(() => fails(error))
    expect((await execute(new RecordingDelivery())).outcome.kind).toBe(kind)
  })

  it('never rejects: a fault of ours while the request is prepared', async () => {
    const { execute, requests } = runnerOf(succeeds)
    const delivery = new RecordingDelivery()
    Object.defineProperty(delivery, 'body', {
      get: () => fails(new RangeError('out of range')),
    })
    expect((await execute(delivery)).outcome).toMatchObject({
      kind: 'dead-letter',
      cause: 'unprocessable',
      reason: 'internal fault: RangeError: out of range',
    })
    expect(requests).toHaveLength(0)
  })

  it('shows what its worker does not get to see', async () => {
    const { execute, events } = runnerOf(succeeds)
    await execute(new RecordingDelivery({ deliveryTag: 3, properties: { type: 'a\0' } }))
    expect(events.of('param-left-out')).toMatchObject([
      { execution: { deliveryTag: 3 }, param: 'AMQP_TYPE', why: 'it has a control character' },
    ])
  })
})

describe('a success with a part of its form', () => {
  const warnings = async (stderr: string, status = 200, payload: BridgePolicy['payload'] = 'form') => {
    const { execute, events } = runnerOf(
      sent(() => answer(status, { stderr })),
      { ...COMPLETED, payload },
    )
    await execute(new RecordingDelivery({ properties: { messageId: 'm-1' } }))
    return events.of('fields-dropped')
  }

  it.each([
    'PHP Request Startup: POST Content-Length of 20971545 bytes exceeds the limit of 8388608 bytes in Unknown on line 0',
    'POST Content-Length of 20971545 bytes exceeds the limit of 8388608 bytes in Unknown on line 0',
    'Unknown: Input variables exceeded 1000. To increase the limit change max_input_vars in php.ini. in Unknown on line 0',
  ])('is warned of: %s', async (warning) => {
    const stderr = `PHP message: PHP Warning:  ${warning}`
    expect(await warnings(stderr)).toMatchObject([{ execution: { messageId: 'm-1' }, stderr }])
    expect(await warnings(stderr, 500)).toEqual([])
    expect(await warnings(stderr, 200, 'raw')).toEqual([])
    expect(await warnings(`PHP message: not ${warning}`)).toEqual([])
  })
})

describe('what a worker writes to stderr', () => {
  const told = async (stderr: string, status: number) => {
    const { execute, events } = runnerOf(sent(() => answer(status, { stderr })))
    await execute(new RecordingDelivery({ properties: { messageId: 'm-1' } }))
    return events.of('stderr-written')
  }

  it('is told of beside its success, and is a part of its failure', async () => {
    const stderr = 'PHP message: PHP Deprecated:  strftime()'
    expect(await told(stderr, 200)).toMatchObject([{ execution: { messageId: 'm-1' }, stderr }])
    expect(await told(stderr, 500)).toEqual([])
    expect(await told('', 200)).toEqual([])
  })

  it('is told of once, where it says that fields were dropped', async () => {
    const stderr = 'PHP message: PHP Warning:  Unknown: Input variables exceeded 1000.'
    const { execute, events } = runnerOf(
      sent(() => answer(200, { stderr })),
      { ...COMPLETED, payload: 'form' },
    )
    await execute(new RecordingDelivery())
    expect(events.of('fields-dropped')).toHaveLength(1)
    expect(events.of('stderr-written')).toEqual([])
  })
})

describe('a worker that says what time it is', () => {
  const saying = (clock: number | string) =>
    runnerOf(sent(() => answer(503, { headers: { 'x-bridge-clock': String(clock) } })))
  const now = () => Math.round(Date.now() / 1_000)

  it.each([
    ['ahead', 3_600],
    ['behind', -86_400],
  ])('is warned of, once, when its clock is %s', async (_, seconds) => {
    const { execute, events } = saying(now() + seconds)
    for (let turn = 0; turn < 3; turn += 1) await execute(new RecordingDelivery())
    const warnings = events.of('clock-differs')
    expect(warnings).toHaveLength(1)
    expect(Math.abs(Number(warnings[0]?.aheadSeconds) - seconds)).toBeLessThanOrEqual(1)
  })

  it.each([
    ['the same', now()],
    ['nonsense', 'soon'],
    ['empty', ''],
  ])('is not when it says %s', async (_, clock) => {
    const { execute, events } = saying(clock)
    await execute(new RecordingDelivery())
    expect(events.of('clock-differs')).toEqual([])
  })
})
