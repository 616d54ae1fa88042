import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { delayQueue, plainQueue } from '../../../src/amqp/queue.ts'
import { QueueAges } from '../../../src/amqp/queue-ages.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const retry = delayQueue('q.retry.100', 100, 'q')
const QUEUES = [retry, plainQueue('q', 'quorum'), plainQueue('c', 'classic')]

it.each([
  { cautious: true, declared: true, rests: [3_000, 3_000, 0] },
  { cautious: true, declared: false, rests: [3_000, 3_000, 0] },
  { cautious: false, declared: true, rests: [3_000, 3_000, 0] },
  { cautious: false, declared: false, rests: [0, 0, 0] },
])('cautious: $cautious, declared by us: $declared', ({ cautious, declared, rests }) => {
  const ages = new QueueAges(cautious)
  for (const queue of QUEUES) ages.seen(queue, declared)
  expect(QUEUES.map(({ name }) => ages.rest(name))).toEqual(rests)
})

it('a queue grows old, also when it is seen again, and is young when it is declared again', () => {
  const ages = new QueueAges(true)
  ages.seen(retry, false)
  vi.advanceTimersByTime(1_000)
  ages.seen(retry, false)
  expect(ages.rest(retry.name)).toBe(2_000)
  vi.advanceTimersByTime(5_000)
  expect(ages.rest(retry.name)).toBe(0)
  ages.seen(retry, true)
  expect(ages.rest(retry.name)).toBe(3_000)
})

it('of a queue that nobody has looked for nothing is known', () => {
  expect(new QueueAges(true).rest('other')).toBe(0)
})
