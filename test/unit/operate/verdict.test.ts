import { describe, expect, it } from 'vitest'
import { Execution } from '../../../src/bridge/execution.ts'
import { decide } from '../../../src/bridge/outcome.ts'
import type { Result } from '../../../src/bridge/result.ts'
import { deliveryOf } from '../../../src/operate/invoke/invoked-delivery.ts'
import { verdictOf } from '../../../src/operate/invoke/verdict.ts'
import { answer, connectFailure, notRead } from '../../support/answers.ts'
import { invoke } from '../../support/given.ts'

/** What becomes of the first execution of a message, or of another one. */
function verdict(result: Result, options: Parameters<typeof invoke>[0] = {}, attempt = 1) {
  const { bridge } = invoke({ ack: 'completed', ...options }, '{}')
  const execution = new Execution(
    deliveryOf({ body: Buffer.from('{}'), properties: {}, attempt }, bridge),
    bridge,
  )
  execution.finish(result)
  return verdictOf({ execution, result, outcome: decide(result, bridge, execution.attempt, 0) }, bridge)
}

const status = (code: number, headers: Readonly<Record<string, string>> = {}): Result => ({
  kind: 'answered',
  response: answer(code, { headers }),
})

describe('a verdict', () => {
  it('says what is done, and which row of the table says so', () => {
    expect(verdict(status(200))).toEqual({
      outcome: 'ack',
      success: true,
      noPool: false,
      fate: 'it is acked: done',
      row: 'success',
      what: 'status 2xx',
      reason: undefined,
    })
    expect(verdict(status(404))).toMatchObject({
      outcome: 'dead-letter',
      fate: 'it goes to "commands.dead" with the reason',
      row: 'other-status',
      reason: 'the worker answered with status 404',
    })
  })

  it('names the queue in which a message rests, and the attempt that follows', () => {
    const fate = 'it comes back after 4 s, from "commands.retry.4000", for attempt 4 of 5'
    expect(verdict(status(500), {}, 3)).toMatchObject({ outcome: 'retry', success: false, fate })
    expect(verdict(status(500, { 'retry-after': '30' })).fate).toContain('"commands.retry.32000"')
    expect(verdict(status(500), {}, 5)).toMatchObject({
      outcome: 'dead-letter',
      row: 'temporary',
      reason: 'attempt 5 of 5: the worker answered with status 500',
    })
  })

  it('of a message that was acked before says that the result is logged', () => {
    const dispatched = { ack: 'dispatched' }
    expect(verdict(status(200), dispatched)).toMatchObject({ outcome: 'log', success: true })
    expect(verdict(status(500), dispatched)).toMatchObject({
      outcome: 'log',
      success: false,
      fate: 'it was acked when it was dispatched; that is logged as refused, and not repeated',
    })
  })

  it('tells a hold without a pool from one that a worker asks for', () => {
    expect(verdict({ kind: 'failed', error: connectFailure(), unread: 0 })).toMatchObject({
      outcome: 'hold',
      noPool: true,
      row: 'no-connection',
      fate: 'it is kept, and nothing is dispatched until messages can be executed again',
    })
    const asked = status(503, { 'x-bridge-outcome': 'hold', 'retry-after': '7200' })
    expect(verdict(asked, { ack: 'dispatched' })).toMatchObject({
      outcome: 'hold',
      noPool: false,
      fate: 'it goes back into its queue, and nothing is dispatched until messages can be executed again, which is not tried for 600 s',
    })
  })

  it('says of a doubt what becomes of the message if it is at fault itself', () => {
    const unread = verdict({ kind: 'failed', error: notRead(), unread: 1 })
    expect(unread).toMatchObject({ outcome: 'in doubt', row: 'unread' })
    expect(unread.fate).toMatch(/: then it is sent again$/)
    expect(verdict(status(200), { 'require-marker': 'true' }).fate).toMatch(
      /: then it comes back after 1 s, /,
    )
  })
})
