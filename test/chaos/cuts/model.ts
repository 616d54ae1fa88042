import type { AckMode } from '../../../src/bridge/ports.ts'
import type { Broker } from '../../support/broker-api.ts'
import { inTime } from '../../support/eventually.ts'
import type { Releases } from '../../support/releases.ts'
import { imbalances } from '../books.ts'
import type { Asked } from '../message-plan.ts'
import { type Random, seeded } from '../random.ts'
import type { Stand } from '../stand.ts'
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

export interface CutResult {
  readonly outcomes: readonly Outcome[]
  /** Where the daemons' counters are not what the journals say, line by line. */
  readonly imbalances: readonly string[]
}

/** Other messages that are under way in each round. */
const COMPANIONS = 3

/** Milliseconds that a round's messages get to come to their end; what comes later counts, too. */
const ROUND = 5_000

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
): Promise<CutResult> {
  const lanes = modes.map(async (mode, index) => {
    const random = seeded(seed + index)
    const cuts = plan(random, rounds, deeds)
    const played = (['unix', 'tcp'] as const).map(async (listen) => {
      const own = cuts.filter(({ deed }) => traitsOf(deed).listen === listen)
      if (own.length === 0) return { outcomes: [], imbalances: [] }
      return playLane(await Lane.open({ broker, mode, listen }, releases), own, random, say)
    })
    return Promise.all(played)
  })
  const played = (await Promise.all(lanes)).flat()
  return {
    outcomes: played.flatMap(({ outcomes }) => outcomes),
    imbalances: played.flatMap(({ imbalances: own }) => own),
  }
}

async function playLane(
  lane: Lane,
  cuts: readonly Cut[],
  random: Random,
  say: (line: string) => void,
): Promise<CutResult> {
  const rounds: Round[] = []
  for (const cut of cuts) {
    const began = performance.now()
    const round = await playRound(lane, cut, rounds.length + 1, random)
    rounds.push(round)
    const seconds = ((performance.now() - began) / 1_000).toFixed(1)
    say(`${lane.stand.queue} ${round.number}: ${cut.point}, ${cut.deed}: ${round.missed ?? `${seconds} s`}`)
  }
  const { books, ...evidence } = await lane.stand.evidence()
  const wrong = imbalances(books).map((line) => `${lane.stand.queue}: ${line}`)
  return { outcomes: outcomesOf(rounds, evidence), imbalances: wrong }
}

async function playRound(lane: Lane, cut: Cut, number: number, random: Random): Promise<Round> {
  const { stand } = lane
  const name = `${stand.queue}-${String(number).padStart(4, '0')}`
  const published = new Map<string, Asked>()
  const publish = (id: string, asked: Asked): Promise<void> => {
    published.set(id, asked)
    return stand.publish(id, asked)
  }
  const deadBefore = await stand.deadLettered()
  for (let n = 1; n <= COMPANIONS; n += 1) await publish(`${name}-c${n}`, { ms: random.integer(0, 40) })
  let missed: string | undefined
  let letGo: LetGo = () => {}
  try {
    const asked = askedFor(cut.point, stand.mode, random)
    letGo = await reach({ lane, id: `${name}-t`, asked, publish }, cut.point)
  } catch (error) {
    missed = error instanceof Error ? error.message : String(error)
  }
  const restore = await STRIKES[cut.deed](lane)
  letGo()
  await restore()
  const dead = deadBefore + [...published.values()].filter(({ unprocessable }) => unprocessable).length
  await ended(stand, published, dead)
  return { ...cut, number, mode: stand.mode, published, missed }
}

/** Resolves when all of them have come to their end, or should have. */
async function ended(stand: Stand, published: ReadonlyMap<string, Asked>, dead: number): Promise<void> {
  const completes = stand.mode === 'dispatched' ? ['done', 'failed'] : ['done']
  const areOver = async (): Promise<boolean> => {
    const done = stand.journal.read().filter(({ event }) => completes.includes(event))
    const over = new Set([...done.map(({ id }) => id), ...stand.complaints()])
    const open = [...published].filter(([id, { unprocessable }]) => !unprocessable && !over.has(id))
    return open.length === 0 && (await stand.deadLettered()) >= dead
  }
  await inTime(areOver, { within: ROUND })
}
