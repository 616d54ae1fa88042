import { expect, it } from 'vitest'
import { Failures } from '../../../src/observe/failures.ts'
import { deadLettered, EXECUTED, EXECUTION } from '../../support/views.ts'

it('keeps what failed, with its ids and the reason, and not what succeeded', () => {
  const failures = new Failures()
  const hear = failures.subscriber('q')
  hear(EXECUTED)
  hear(deadLettered('rejected'))
  hear({ kind: 'lost', why: 'abandoned', execution: EXECUTION })
  expect(failures.latest).toMatchObject([
    { queue: 'q', outcome: 'lost', execution: { messageId: 'M-1' }, duration_ms: undefined },
    { queue: 'q', outcome: 'dead-letter', reason: 'a reason', duration_ms: 3 },
  ])
  expect(Date.parse(failures.latest[0]?.time ?? '')).toBeGreaterThan(Date.now() - 10_000)
})

it('keeps the last 20, and of a reason no more than is read', () => {
  const failures = new Failures()
  const hear = failures.subscriber('q')
  for (let attempt = 1; attempt <= 25; attempt += 1) {
    const execution = { ...EXECUTION, attempt }
    hear({ kind: 'lost', why: 'no-answer', execution, diagnosis: { reason: 'x'.repeat(1_000) } })
  }
  expect(failures.latest).toHaveLength(20)
  expect(failures.latest[0]?.execution.attempt).toBe(25)
  expect(failures.latest[0]?.reason).toHaveLength(500)
})

it('does not keep the execution itself, which has the body of its message', () => {
  const failures = new Failures()
  const execution = Object.assign({ ...EXECUTION }, { delivery: { body: Buffer.alloc(8) } })
  failures.subscriber('q')({ kind: 'lost', why: 'no-answer', execution, diagnosis: { reason: 'gone' } })
  expect(Object.keys(failures.latest[0]?.execution ?? {})).not.toContain('delivery')
})
