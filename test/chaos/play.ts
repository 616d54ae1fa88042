import { setTimeout as sleep } from 'node:timers/promises'
import type { Releases } from '../support/releases.ts'
import { accountOf } from './accounts.ts'
import { imbalances, totals } from './books.ts'
import { collectDeadLetters, drain, leftQueued, settled } from './ending.ts'
import type { Arena } from './faults/arena.ts'
import { INJECTIONS } from './faults/inject.ts'
import { figuresOf, mostFailuresPerSecond } from './figures.ts'
import { Fleet, timeOf } from './fleet.ts'
import { Flow } from './flow.ts'
import { afterBroker, type InjectedFault } from './injected-fault.ts'
import type { JournalLine } from './journal.ts'
import { Watch } from './memory.ts'
import type { ChaosOptions } from './options.ts'
import { type MessageLine, reconcile } from './reconcile.ts'
import { consumingAgain } from './recovery.ts'
import type { Report } from './report.ts'
import { describeStep, schedule } from './schedule.ts'
import { openStage } from './stage.ts'
import { brokenPromises, rowsOf } from './verdict.ts'

/** Messages before the first fault, over which the daemons get warm. */
const WARM_UP = 30

/**
 * The whole run: messages flow, faults come one after the other, and when all is quiet the count is made.
 *
 * @param releases gets what takes each thing down, as soon as it is there
 * @param say takes a line for the one who watches
 * @throws when the run cannot come to its end
 */
export async function play(
  options: ChaosOptions,
  releases: Releases,
  say: (line: string) => void,
): Promise<Report> {
  const { mode, seed, rate, queueType, messages } = options
  const stage = await openStage(releases, options.messagesPerRequest > 1)
  const flow = new Flow({ url: stage.broker.url, seed, rate, queueType })
  releases.push(() => flow.abort())
  const fleet = await Fleet.open(stage, options, releases)
  const arena: Arena = { stage, fleet, flow, deadLetters: [] }
  const watch = await warmUp(arena)
  releases.push(() => watch.stop())

  flow.start()
  const faults = await injectAll(arena, options, say)
  while (flow.confirmed < messages) await sleep(100)
  await flow.stop()

  say('All is published; waiting until nothing is left to do ...')
  await settled(stage).catch((cause: Error) => {
    throw new Error(`${cause.message}. ${fleet.lastWords()}`, { cause })
  })
  const descriptors = watch.descriptors()
  const memory = watch.memory()
  watch.stop()
  const drains = await drain(fleet)
  await collectDeadLetters(arena)
  const journal = stage.journal.read()
  const { published } = flow
  const queued = await leftQueued(stage)
  const deadLetters = arena.deadLetters
  const reconciliation = reconcile({
    mode,
    published,
    journal,
    log: messageLines(fleet),
    deadLettered: new Set(deadLetters.map(({ messageId }) => messageId)),
    queued,
    faults,
  })
  const rows = rowsOf(mode, faults, reconciliation)
  const failingPerSecond = mostFailuresPerSecond(journal, published)
  const givenUp = reconciliation.givenUp.length
  const figures = figuresOf(rows, { drains, descriptors, failingPerSecond, givenUp })
  const accounts = fleet.daemons.map(({ id, process }) => accountOf(id, process.log))
  const confirmed = [...published].filter(([, message]) => message.confirmed).map(([id]) => id)
  const books = { mode, accounts, journal, deadLetters, published: confirmed, queued }
  const broken = [...brokenPromises(rows, reconciliation, fleet.failures), ...imbalances(books)]
  const traces = tracesOf(broken, fleet, journal)
  return { rows, figures, reconciliation, counts: totals(accounts), memory, broken, traces }
}

/** Messages of which a report has all that is known. */
const TRACED = 5

/** Every line of logs and journal about the messages that broken promises name. */
function tracesOf(broken: readonly string[], fleet: Fleet, journal: readonly JournalLine[]): string[] {
  const ids = [...new Set(broken.flatMap((promise) => promise.match(/\bM-\d+\b/g) ?? []))].slice(0, TRACED)
  return ids
    .flatMap((id) => [
      ...fleet.log().filter((line) => line['message_id'] === id),
      ...journal.filter((line) => line.id === id),
    ])
    .map((line) => JSON.stringify(line))
}

/** The daemons have executed something, and have nothing to do again. */
async function warmUp({ stage, fleet, flow }: Arena): Promise<Watch> {
  const consuming = await consumingAgain(fleet, 0)
  if (consuming === undefined) throw new Error(`The daemons do not consume. ${fleet.lastWords()}`)
  for (let n = 0; n < WARM_UP; n += 1) await flow.send({})
  await settled(stage)
  return new Watch(fleet)
}

async function injectAll(
  arena: Arena,
  { seed, faults, only }: ChaosOptions,
  say: (line: string) => void,
): Promise<InjectedFault[]> {
  const injected: InjectedFault[] = []
  for (const step of schedule(seed, faults, only)) {
    await sleep(step.calm)
    const began = Date.now()
    const courses = step.faults.map(async (fault): Promise<InjectedFault> => {
      await sleep(fault.after)
      const course = await INJECTIONS[fault.kind](arena, fault)
      return { number: fault.number, kind: fault.kind, ...course }
    })
    injected.push(...afterBroker(await Promise.all(courses)))
    const { confirmed } = arena.flow
    say(`${describeStep(step)}: ${((Date.now() - began) / 1_000).toFixed(1)} s; ${confirmed} messages`)
  }
  return injected.sort((a, b) => a.began - b.began)
}

function messageLines(fleet: Fleet): MessageLine[] {
  return fleet.log().flatMap((line) => {
    const { message_id: messageId, outcome } = line
    if (typeof messageId !== 'string') return []
    const said = typeof outcome === 'string' ? outcome : undefined
    return [{ messageId, level: line.level ?? '', outcome: said, time: timeOf(line) }]
  })
}
