import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, inTime } from '../../support/eventually.ts'
import { bytesWritten, childrenOf, isAsleep, signalChildren } from '../../support/processes.ts'
import type { JournalLine } from '../journal.ts'
import type { Asked } from '../message-plan.ts'
import { type Lane, RETRY_DELAY, SLOTS } from './lane.ts'
import { PADDING, type Point } from './points.ts'
import { type Step, Trace } from './trace.ts'

/** Lets go on what was held back so that the moment lasts. */
export type LetGo = () => void

/** A message on its way to its point. */
export interface Traveller {
  readonly lane: Lane
  readonly id: string
  readonly asked: Asked
  /** Of this message, and of others that the point needs. */
  readonly publish: (id: string, asked: Asked) => Promise<void>
}

/**
 * Publishes the message, and what the point needs; resolves when it is there.
 *
 * @throws when it does not come there
 */
export function reach(traveller: Traveller, point: Point): Promise<LetGo> {
  switch (point) {
    case 'before sent':
      return waiting(traveller)
    case 'after sent':
      return unread(traveller)
    case 'executing':
      return noted(traveller, 'start')
    case 'before answered':
      return noted(traveller, 'done')
    case 'after answered':
      return answered(traveller)
    default: {
      const [when, ...step] = point.split(' ')
      return passing(traveller, step.join(' ') as Step, when === 'before')
    }
  }
}

const NOTHING: LetGo = () => {}

/** Milliseconds after which a message will not come to its point. */
const LATE = 15_000

/** Milliseconds that a message takes which is to take a slot, and how many of them are tried. */
const FILLER = 500
const MOST_FILLERS = 20 * SLOTS

/** When a unit about it passes between daemon and broker; `held`: it has not yet. */
async function passing({ lane, id, asked, publish }: Traveller, step: Step, held: boolean): Promise<LetGo> {
  const trace = new Trace(id)
  let letGo = NOTHING
  const there = new Promise<void>((resolve) => {
    lane.tap = (unit) => {
      if (trace.see(unit) !== step) return undefined
      lane.tap = () => undefined
      // What is not held is written as soon as this returns.
      setImmediate(resolve)
      return held ? new Promise((pass) => (letGo = pass)) : undefined
    }
  })
  await publish(id, asked)
  await within(`${id} is ${step}`, there)
  return () => letGo()
}

/**
 * Every slot of the daemon is taken: it has the message, and must not send it. On a busy machine one may be free again before the last
 * is taken: then further ones are published.
 */
async function waiting(traveller: Traveller): Promise<LetGo> {
  const { lane, id, publish } = traveller
  const taken = () => lane.stand.journal.running().filter((line) => line.id.startsWith(`${id}-`)).length
  for (let filler = 1; taken() < SLOTS; filler += 1) {
    if (filler > MOST_FILLERS) throw new Error(`${MOST_FILLERS} messages did not take every slot at once`)
    await publish(`${id}-${filler}`, { ms: FILLER })
    if (filler >= SLOTS) await inTime(() => taken() === SLOTS, { every: 5, within: FILLER })
  }
  return passing(traveller, 'delivered', false)
}

/** The children stand still: the request lies in a socket, and nobody reads it. */
async function unread({ lane, id, asked, publish }: Traveller): Promise<LetGo> {
  const { pool, daemon } = lane.stand
  await eventually('the pool is idle', () => isIdle(lane), { every: 5 })
  signalChildren(pool.masterPid, 'SIGSTOP')
  const letGo = () => signalChildren(pool.masterPid, 'SIGCONT')
  const before = bytesWritten(daemon.pid) ?? 0
  await publish(id, asked)
  const sent = () => (bytesWritten(daemon.pid) ?? 0) - before >= PADDING
  await heldUntil(eventually('the request is sent', sent, { every: 5, within: LATE }), letGo)
  return letGo
}

/** And nothing will come back from a retry queue: otherwise the message would wait for a slot, and not be sent. */
function isIdle({ stand: { journal, pool } }: Lane): boolean {
  const children = childrenOf(pool.masterPid)
  const since = Date.now() - (journal.read().at(-1)?.time ?? 0)
  return since > 2 * RETRY_DELAY && !journal.running().some(({ pid }) => children.includes(pid))
}

/** When the worker has written that line. */
async function noted({ lane, id, asked, publish }: Traveller, event: JournalLine['event']): Promise<LetGo> {
  await publish(id, asked)
  await lineOf(lane, id, event)
  return NOTHING
}

/** The daemon stands still: the whole answer lies in its socket. */
async function answered({ lane, id, asked, publish }: Traveller): Promise<LetGo> {
  const { daemon } = lane.stand
  await publish(id, asked)
  const { pid } = await lineOf(lane, id, 'start')
  daemon.signal('SIGSTOP')
  const letGo = () => daemon.signal('SIGCONT')
  await heldUntil(lineOf(lane, id, 'done'), letGo)
  await eventually('the child has answered', async () => {
    await sleep(5)
    return isAsleep(pid)
  })
  return letGo
}

/** What is held back must not stay so when the moment does not come. */
async function heldUntil(moment: Promise<unknown>, letGo: LetGo): Promise<void> {
  try {
    await moment
  } catch (error) {
    letGo()
    throw error
  }
}

function lineOf({ stand: { journal } }: Lane, id: string, event: JournalLine['event']): Promise<JournalLine> {
  const find = () => journal.read().findLast((line) => line.id === id && line.event === event)
  return eventually(`${id}: ${event}`, find, { every: 2, within: LATE })
}

async function within(what: string, promise: Promise<void>): Promise<void> {
  const late = sleep(LATE, undefined, { ref: false }).then(() => {
    throw new Error(`Not within ${LATE / 1_000} s: ${what}`)
  })
  await Promise.race([promise, late])
}
