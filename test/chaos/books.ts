import type { AckMode } from '../../src/bridge/ports.ts'
import type { Counts } from '../../src/observe/counters.ts'
import type { Account, Ending } from './accounts.ts'
import { byKey } from './by-key.ts'
import type { JournalLine } from './journal.ts'

/** A message that was taken out of the dead-letter queue. */
export interface DeadLetter {
  readonly messageId: string
  /** Whose copy it is. */
  readonly daemonId: string
}

/** What the counters of the daemons are compared with. */
export interface Books {
  readonly mode: AckMode
  /** Of all daemons that there ever were. */
  readonly accounts: readonly Account[]
  readonly journal: readonly JournalLine[]
  readonly deadLetters: readonly DeadLetter[]
  /** Ids of messages that the broker has confirmed. */
  readonly published: readonly string[]
  /** Ids of messages that are still in a queue. */
  readonly queued: ReadonlySet<string>
}

const OUTCOMES = ['executed', 'retry', 'refused', 'lost', 'dead-letter', 'hold'] as const

/** What the daemons that drained have counted, all in all. */
export function totals(accounts: readonly Account[]): Counts {
  const of = (outcome: keyof Counts) =>
    accounts.reduce((sum, { counts }) => sum + (counts?.[outcome] ?? 0), 0)
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, of(outcome)])) as unknown as Counts
}

/** What does not add up, line by line; none when the counters tell the truth. Pure. */
export function imbalances(books: Books): string[] {
  const drained = books.accounts.filter(({ counts }) => counts !== undefined)
  return [
    ...drained.flatMap((account) => [
      ...againstItsLog(account),
      ...againstTheJournal(books, account),
      ...againstTheDeadLetters(books, account),
    ]),
    ...retries(books),
    ...messages(books),
  ]
}

/** Each count is so many lines. */
function againstItsLog({ daemonId, counts, endings }: Account): string[] {
  return OUTCOMES.flatMap((outcome) => {
    const lines = endings.filter((ending) => ending.how === 'counted' && ending.outcome === outcome).length
    return counts?.[outcome] === lines
      ? []
      : [`${daemonId} has counted ${counts?.[outcome]} of ${outcome}, and its log has ${lines}`]
  })
}

type JournalEnd = 'done' | 'failed' | 'none'

/**
 * What may be said of an execution that has such an end in the journal. Whose session has ended is not counted; an answer that did
 * not come whole is no success, whatever the worker did.
 */
const MAY_END: Readonly<Record<JournalEnd, (ending: Ending, mode: AckMode) => boolean>> = {
  done: ({ outcome, status }) => outcome === 'executed' || (status === undefined && outcome !== 'refused'),
  failed: ({ outcome, status }, mode) =>
    outcome === 'lost' ||
    (mode === 'dispatched' ? outcome === 'refused' : isGivenOn(outcome)) ||
    status === undefined,
  none: ({ outcome }) => outcome !== 'executed',
}

const isGivenOn = (outcome: Ending['outcome']): boolean => outcome === 'retry' || outcome === 'dead-letter'

/** Each execution that a worker has begun has one end, which is that of the journal; and nothing else is said to be executed. */
function againstTheJournal({ mode, journal }: Books, { daemonId, endings, counts }: Account): string[] {
  const wrong: string[] = []
  const ends = journalEnds(journal, daemonId)
  const told = byKey(endings, ({ executionId }) => executionId)
  const explained = { done: 0, failed: 0, none: 0 }
  for (const [executionId, end] of ends) {
    const own = told.get(executionId) ?? []
    const [ending] = own
    if (ending === undefined || own.length > 1) {
      wrong.push(
        `${daemonId} tells ${own.length} ends of ${executionId}: ${own.map(({ outcome }) => outcome)}`,
      )
    } else if (!MAY_END[end](ending, mode)) {
      wrong.push(`${daemonId} tells that ${executionId} is ${ending.outcome}; the journal: ${end}`)
    } else if (ending.how !== 'counted' || ending.status === undefined) explained[end] += 1
  }
  const known = [...ends.values()]
  const of = (end: JournalEnd) => known.filter((own) => own === end).length - explained[end]
  const expected = { executed: of('done'), ...(mode === 'dispatched' && { refused: of('failed') }) }
  for (const [outcome, count] of Object.entries(expected)) {
    const counted = counts?.[outcome as keyof Counts]
    if (counted !== count)
      wrong.push(`${daemonId} has counted ${counted} of ${outcome}, the journal ${count}`)
  }
  return wrong
}

function journalEnds(journal: readonly JournalLine[], daemonId: string): Map<string, JournalEnd> {
  const ends = new Map<string, JournalEnd>()
  for (const line of journal) {
    if (line.daemonId !== daemonId) continue
    if (line.event !== 'start') ends.set(line.executionId, line.event)
    else if (!ends.has(line.executionId)) ends.set(line.executionId, 'none')
  }
  return ends
}

/** Of each copy that was counted there is one message; more only where one was published without its confirm. */
function againstTheDeadLetters({ deadLetters }: Books, { daemonId, counts, unconfirmed }: Account): string[] {
  const counted = counts?.['dead-letter'] ?? 0
  const there = deadLetters.filter((letter) => letter.daemonId === daemonId).length
  const most = counted + unconfirmed.filter(({ outcome }) => outcome === 'dead-letter').length
  if (there >= counted && there <= most) return []
  return [`${daemonId} has counted ${counted} of dead-letter, and ${there} are in the queue, at most ${most}`]
}

/** Each retry that was counted has come back, as the next attempt; and no attempt came from nowhere. */
function retries({ accounts, journal, deadLetters, queued }: Books): string[] {
  const endings = accounts.flatMap((account) => account.endings)
  const key = (id: string, attempt: number) => `${id}, attempt ${attempt}`
  const retried = new Set(
    endings
      .filter(({ outcome }) => outcome === 'retry')
      .map(({ messageId, attempt }) => key(messageId, attempt + 1)),
  )
  const over = new Set([...queued, ...deadLetters.map(({ messageId }) => messageId)])
  const latest = new Map<string, number>()
  for (const { id, attempt } of journal) latest.set(id, Math.max(latest.get(id) ?? 0, attempt))
  const gone = endings.filter(({ how, outcome, messageId, attempt }) => {
    return (
      how === 'counted' &&
      outcome === 'retry' &&
      !over.has(messageId) &&
      (latest.get(messageId) ?? 0) <= attempt
    )
  })
  const killed = accounts.some(({ counts }) => counts === undefined)
  const strange = killed
    ? []
    : journal.filter(
        ({ event, id, attempt }) => event === 'start' && attempt > 1 && !retried.has(key(id, attempt)),
      )
  return [
    ...gone.map(({ messageId, attempt }) => `counted as a retry, and never back: ${key(messageId, attempt)}`),
    ...strange.map(({ id, attempt }) => `no retry before it: ${key(id, attempt)}`),
  ]
}

/**
 * Each message is settled for good once. Again only where the broker may have delivered it twice: an ack did not arrive, since its
 * session ended, or a copy was published without its confirm.
 */
function messages({ accounts, journal, published, queued }: Books): string[] {
  const killed = accounts.some(({ counts }) => counts === undefined)
  const final = new Map<string, number>()
  for (const { how, outcome, messageId } of accounts.flatMap((account) => account.endings)) {
    if (how !== 'counted' || outcome === 'retry' || outcome === 'hold') continue
    final.set(messageId, (final.get(messageId) ?? 0) + 1)
  }
  const begun = byKey(journal, ({ id }) => id)
  const mayComeTwice = (id: string): boolean =>
    accounts.some(({ daemonId, counts, dispatched, sessionEnds, unconfirmed, endings }) => {
      if (unconfirmed.some(({ messageId }) => messageId === id)) return true
      const since = dispatched.get(id)
      const told = since !== undefined || endings.some(({ messageId }) => messageId === id)
      // A daemon that is killed takes its last lines along.
      if (counts === undefined)
        return told || (begun.get(id) ?? []).some((line) => line.daemonId === daemonId)
      // What was given up without a request: any end of a session may have been before its ack.
      return told && sessionEnds.some((end) => end >= (since ?? 0))
    })
  return published.flatMap((id) => {
    const times = final.get(id) ?? 0
    if (times === 0 && !queued.has(id) && !killed) return [`${id} is in no counter`]
    return times > 1 && !mayComeTwice(id) ? [`${id} is in the counters ${times} times, and came once`] : []
  })
}
