import { setTimeout as sleep } from 'node:timers/promises'
import type { AckMode } from '../../../src/bridge/ports.ts'
import type { Broker } from '../../support/broker-api.ts'
import { takeAll } from '../../support/messages.ts'
import { byMessage, type Evidence } from '../fates.ts'
import type { Asked } from '../message-plan.ts'
import { type Random, seeded } from '../random.ts'
import type { Releases } from '../stage.ts'
import { STRIKES } from './deeds.ts'
import { Lane } from './lane.ts'
import { askedFor, type Cut, type Deed, plan, traitsOf } from './points.ts'
import { type LetGo, reach } from './reach.ts'
import { type Outcome, outcomesOf, type Round } from './tally.ts'

export interface CutOptions {
  readonly modes: readonly AckMode[]
  /** Of each mode. */
  readonly rounds: number
  readonly seed: number
  readonly deeds: readonly Deed[]
}

/** Other messages that are under way in each round. */
const COMPANIONS = 3

/** Milliseconds that a round's messages get to come to their end; what comes later counts, too. */
const ROUND = 5_000

/** Milliseconds without a change, at the end of all, after which nothing more is expected. */
const QUIET = 5_000

/**
 * Plays all rounds, each of a message that comes to a point of its life, and a deed that is done just then.
 *
 * @param releases gets what takes each thing down, as soon as it is there
 * @param say takes a line for the one who watches
 */
export async function playCuts(
  broker: Broker,
  { modes, rounds, seed, deeds }: CutOptions,
  releases: Releases,
  say: (line: string) => void,
): Promise<Outcome[]> {
  const lanes = modes.flatMap(async (mode, index) => {
    const random = seeded(seed + index)
    const cuts = plan(random, rounds, deeds)
    const played = (['unix', 'tcp'] as const).map(async (listen) => {
      const own = cuts.filter(({ deed }) => traitsOf(deed).listen === listen)
      if (own.length === 0) return []
      const lane = await Lane.open({ broker, mode, listen }, releases)
      return playLane(lane, own, random, broker, say)
    })
    return (await Promise.all(played)).flat()
  })
  return (await Promise.all(lanes)).flat()
}

async function playLane(
  lane: Lane,
  cuts: readonly Cut[],
  random: Random,
  broker: Broker,
  say: (line: string) => void,
): Promise<Outcome[]> {
  const rounds: Round[] = []
  for (const cut of cuts) {
    const began = performance.now()
    const round = await playRound(lane, cut, rounds.length + 1, random)
    rounds.push(round)
    const seconds = ((performance.now() - began) / 1_000).toFixed(1)
    say(`${lane.queue} ${round.number}: ${cut.point}, ${cut.deed}: ${round.missed ?? `${seconds} s`}`)
  }
  const evidence = await evidenceOf(lane, broker)
  return outcomesOf(rounds, evidence)
}

async function playRound(lane: Lane, cut: Cut, number: number, random: Random): Promise<Round> {
  const { mode } = lane
  const name = `${lane.queue}-${String(number).padStart(4, '0')}`
  const published = new Map<string, Asked>()
  const publish = (id: string, asked: Asked): Promise<void> => {
    published.set(id, asked)
    return lane.publish(id, asked)
  }
  const deadBefore = await lane.deadLettered()
  for (let n = 1; n <= COMPANIONS; n += 1) await publish(`${name}-c${n}`, { ms: random.integer(0, 40) })
  let missed: string | undefined
  let letGo: LetGo = () => {}
  try {
    letGo = await reach(
      { lane, id: `${name}-t`, asked: askedFor(cut.point, mode, random), publish },
      cut.point,
    )
  } catch (error) {
    missed = error instanceof Error ? error.message : String(error)
  }
  const restore = await STRIKES[cut.deed](lane)
  letGo()
  await restore()
  const dead = deadBefore + [...published.values()].filter(({ unprocessable }) => unprocessable).length
  await ended(lane, published, dead)
  return { ...cut, number, mode, published, missed }
}

/** Resolves when all of them have come to their end, or should have. */
async function ended(lane: Lane, published: ReadonlyMap<string, Asked>, dead: number): Promise<void> {
  const completes = lane.mode === 'dispatched' ? ['done', 'failed'] : ['done']
  for (const deadline = Date.now() + ROUND; Date.now() < deadline; await sleep(20)) {
    const done = lane.journal.read().filter(({ event }) => completes.includes(event))
    const over = new Set([...done.map(({ id }) => id), ...complaintsOf(lane)])
    const open = [...published].filter(([id, { unprocessable }]) => !unprocessable && !over.has(id))
    if (open.length === 0 && (await lane.deadLettered()) >= dead) return
  }
}

/** Ids of messages that a daemon's log tells the loss of. */
function complaintsOf(lane: Lane): string[] {
  return lane.log().flatMap(({ messageId, outcome }) => {
    return typeof messageId === 'string' && (outcome === 'lost' || outcome === 'refused') ? [messageId] : []
  })
}

async function evidenceOf(lane: Lane, broker: Broker): Promise<Evidence> {
  for (let lines = -1; lines !== lane.journal.read().length; await sleep(QUIET)) {
    lines = lane.journal.read().length
  }
  if (process.env['CUTS_LOG'] !== undefined)
    for (const line of lane.log()) console.error(JSON.stringify(line))
  const idsIn = async (queue: string): Promise<Set<string>> => {
    const messages = await takeAll(broker, queue)
    return new Set(messages.map(({ properties }) => String(properties.messageId)))
  }
  // What the daemon has in its hands is the queue's again.
  await lane.daemon.kill()
  return {
    journal: byMessage(lane.journal.read()),
    complaints: new Set(complaintsOf(lane)),
    deadLettered: await idsIn(`${lane.queue}.dead`),
    queued: await idsIn(lane.queue),
  }
}
