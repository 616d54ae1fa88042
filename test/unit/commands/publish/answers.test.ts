import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Answers } from '../../../../src/commands/publish/answers.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const answer = (correlationId: string, body = '') => ({
  correlationId,
  headers: {},
  body: Buffer.from(body),
})

it('each message gets the answer that is correlated with it, whatever the order', async () => {
  const answers = new Answers(1_000)
  const [one, two] = [answers.expect('1'), answers.expect('2')]
  answers.take(answer('2', 'two'))
  answers.take(answer('nobody'))
  answers.take(answer('1', 'one'))
  // The second execution of a message.
  answers.take(answer('1', 'one again'))
  expect((await answers.inTime('1', one))?.body.toString()).toBe('one')
  expect((await answers.inTime('2', two))?.body.toString()).toBe('two')
})

it('the time runs from when the message is in its queue', async () => {
  const answers = new Answers(1_000)
  const coming = answers.expect('1')
  await vi.advanceTimersByTimeAsync(5_000)
  const late = answers.inTime('1', coming)
  await vi.advanceTimersByTimeAsync(999)
  answers.take(answer('1', 'just in time'))
  expect((await late)?.body.toString()).toBe('just in time')
  const missing = answers.inTime('2', answers.expect('2'))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await missing).toBeUndefined()
})
