import { expect, it } from 'vitest'
import { ProcessHistory } from '../../../src/daemon/process-record.ts'

const MIB = 1024 ** 2
const execution = {
  deliveryTag: 1,
  executionId: 'e-1',
  messageId: undefined,
  correlationId: undefined,
  type: undefined,
  attempt: 1,
  durationMs: 1,
}

it('says what a process was: who, when, why, how much', () => {
  const history = new ProcessHistory('D-1', ['orders'])
  for (const total of [10, 20, 30])
    history.take({ kind: 'answered', execution, status: 200, timings: { connect: 0, firstByte: 1, total } })
  history.take({ kind: 'settled', by: 'ack', execution, outcome: { kind: 'executed', status: 200 } })
  history.take({ kind: 'lost', why: 'no-answer', execution, diagnosis: { reason: 'a reason' } })
  for (const queue of ['orders', 'later'])
    history.take({ kind: 'consuming', broker: 'amqp://b', queue, prefetch: 1 })
  const before = Date.now()
  const record = history.record('max-messages')

  expect(record).toMatchObject({
    daemon_id: 'D-1',
    pid: process.pid,
    queues: ['orders', 'later'],
    reason: 'max-messages',
    messages: { executed: 1, retry: 0, refused: 0, lost: 1, 'dead-letter': 0, hold: 0 },
    execution: { count: 3, sum: 60, max: 30 },
  })
  expect(Date.parse(record.end)).toBeGreaterThanOrEqual(before)
  expect(Date.parse(record.start)).toBeLessThan(before)
  const { start, peak, end } = record.memory
  for (const bytes of [start, end]) {
    expect(bytes).toBeGreaterThan(10 * MIB)
    expect(bytes).toBeLessThanOrEqual(peak)
  }
})
