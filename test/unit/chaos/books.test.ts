import { describe, expect, it } from 'vitest'
import { type Account, accountOf } from '../../chaos/accounts.ts'
import { type Books, imbalances, totals } from '../../chaos/books.ts'
import type { JournalLine } from '../../chaos/journal.ts'
import type { LogLine } from '../../support/bridge-process.ts'

/* One daemon and four messages: one executed, one executed after a retry, one given up, one held before it was executed. */

const COUNTS = { executed: 3, retry: 1, refused: 0, lost: 0, 'dead-letter': 1, hold: 1 }
const TIME = '2026-01-01T00:00:00.000Z'

/** The second execution of `a` with the number 1 is `a/1y`. */
const idsIn = (execution: string) => {
  const [messageId, attempt] = execution.split('/') as [string, string]
  return { messageId, attempt: Number.parseInt(attempt, 10) }
}

const line = (message: string, execution: string, fields: object): LogLine => {
  const { messageId, attempt } = idsIn(execution)
  return { message, execution_id: execution, message_id: messageId, attempt, time: TIME, ...fields }
}
const executed = (execution: string) => line('Executed.', execution, { outcome: 'executed', status: 200 })

const LOG: readonly LogLine[] = [
  executed('a/1'),
  line('To be executed again.', 'b/1', { outcome: 'retry', status: 503 }),
  executed('b/2'),
  line('Dead-lettered.', 'c/0', { outcome: 'dead-letter', dead_letter_queue: 'q.dead' }),
  line('Not executed: it waits, or goes back to the broker.', 'd/1', { outcome: 'hold', probing: false }),
  executed('d/1x'),
]

const stopped = (counts: object): LogLine => ({ message: 'Stopped.', ...counts })
const SESSION_END: LogLine = {
  message: 'The session with the broker has ended; opening another.',
  time: TIME,
}

const account = (log: readonly LogLine[] = LOG, counts: object = COUNTS): Account =>
  accountOf('D', [...log, stopped(counts)])

const written = (event: JournalLine['event'], executionId: string): JournalLine => {
  const { messageId: id, attempt } = idsIn(executionId)
  return { event, id, executionId, daemonId: 'D', pid: 1, attempt, time: 0 }
}
const whole = (execution: string, end: JournalLine['event'] = 'done') => [
  written('start', execution),
  written(end, execution),
]
const JOURNAL = [...whole('a/1'), ...whole('b/1', 'failed'), ...whole('b/2'), ...whole('d/1x')]

const wrong = (changes: Partial<Books> = {}): string[] =>
  imbalances({
    mode: 'completed',
    accounts: [account()],
    journal: JOURNAL,
    deadLetters: [{ messageId: 'c', daemonId: 'D' }],
    published: ['a', 'b', 'c', 'd'],
    queued: new Set(),
    ...changes,
  })

const lost = (execution: string, more: object = {}) =>
  line('Executed, but its session has ended: the broker delivers it again.', execution, {
    outcome: 'executed',
    status: 200,
    ...more,
  })

it('books in order have nothing wrong, and their totals', () => {
  expect(wrong()).toEqual([])
  expect(totals([account(), account(), accountOf('killed', LOG)])).toEqual({
    ...{ executed: 6, retry: 2, refused: 0, lost: 0, 'dead-letter': 2, hold: 2 },
  })
})

describe('a counter is wrong', () => {
  it.each(Object.keys(COUNTS))('that has one %s too many', (outcome) => {
    const counts = { ...COUNTS, [outcome]: (COUNTS[outcome as keyof typeof COUNTS] ?? 0) + 1 }
    expect(wrong({ accounts: [account(LOG, counts)] })).toContainEqual(
      expect.stringContaining(`of ${outcome}, and its log has`),
    )
  })

  it('when log and counter agree, and the journal has no such execution', () => {
    const accounts = [account([...LOG, executed('a/1y')], { ...COUNTS, executed: 4 })]
    expect(wrong({ accounts, journal: [...JOURNAL, written('start', 'a/1y')] })).toEqual([
      'D tells that a/1y is executed; the journal: none',
      'D has counted 4 of executed, the journal 3',
      'a is in the counters 2 times, and came once',
    ])
  })

  it('when a worker has begun, and nothing is said of it, or two things', () => {
    const [first] = LOG as [LogLine]
    expect(wrong({ journal: [...JOURNAL, written('start', 'a/1y')] })).toEqual(['D tells 0 ends of a/1y: '])
    expect(wrong({ accounts: [account([...LOG, first], { ...COUNTS, executed: 4 })] })).toContain(
      'D tells 2 ends of a/1: executed,executed',
    )
  })

  it('when there is another number of dead letters', () => {
    expect(wrong({ deadLetters: [] })).toEqual([
      'D has counted 1 of dead-letter, and 0 are in the queue, at most 1',
    ])
  })

  it('when a retry does not come back, or one came from nowhere', () => {
    const journal = JOURNAL.filter(({ executionId }) => executionId !== 'b/2')
    expect(wrong({ journal })).toContain('counted as a retry, and never back: b, attempt 1')
    expect(wrong({ journal: [...JOURNAL, written('start', 'a/2')] })).toContain(
      'no retry before it: a, attempt 2',
    )
  })

  it('when a message is in none', () => {
    expect(wrong({ published: ['a', 'b', 'c', 'd', 'e'] })).toEqual(['e is in no counter'])
    expect(wrong({ published: ['a', 'b', 'c', 'd', 'e'], queued: new Set(['e']) })).toEqual([])
  })
})

describe('a message that was executed twice', () => {
  const twice = { journal: [...JOURNAL, ...whole('a/1y')] }

  it('is in the counter twice only where a session has ended', () => {
    const counts = { ...COUNTS, executed: 4 }
    expect(wrong({ ...twice, accounts: [account([...LOG, executed('a/1y')], counts)] })).toEqual([
      'a is in the counters 2 times, and came once',
    ])
    expect(wrong({ ...twice, accounts: [account([...LOG, SESSION_END, executed('a/1y')], counts)] })).toEqual(
      [],
    )
  })

  it('is not in it twice for a session that had ended before its request was sent', () => {
    const sent = line('Dispatched.', 'a/1', { time: '2026-01-01T00:00:00.001Z' })
    const log = [SESSION_END, sent, ...LOG, executed('a/1y')]
    const counts = { ...COUNTS, executed: 4 }
    expect(wrong({ ...twice, accounts: [account(log, counts)] })).toEqual([
      'a is in the counters 2 times, and came once',
    ])
    const later = { ...SESSION_END, time: '2026-01-01T00:00:00.002Z' }
    expect(wrong({ ...twice, accounts: [account([...log, later], counts)] })).toEqual([])
  })

  it('is in it once where the log says that its session had ended', () => {
    expect(wrong({ ...twice, accounts: [account([...LOG, lost('a/1y')])] })).toEqual([])
    const counts = { ...COUNTS, executed: 4 }
    expect(wrong({ ...twice, accounts: [account([...LOG, lost('a/1y')], counts)] })).toEqual([
      'D has counted 4 of executed, and its log has 3',
      'D has counted 4 of executed, the journal 3',
    ])
  })
})
