import type { AckMode } from '../../../src/bridge/ports.ts'
import type { Asked } from '../message-plan.ts'
import type { Random } from '../random.ts'

/** The moments in the life of a message at which something is done to it. */
export const POINTS = [
  'before delivered',
  'after delivered',
  'before sent',
  'after sent',
  'executing',
  'before answered',
  'after answered',
  'before copy published',
  'after copy published',
  'before confirmed',
  'after confirmed',
  'before acked',
  'after acked',
] as const

export type Point = (typeof POINTS)[number]

interface DeedTraits {
  /** Of the pool: what the kernel tells about a connection's end differs. */
  readonly listen: 'unix' | 'tcp'
  /**
   * What `--ack dispatched` may lose by it: nothing; what was executing at that moment; or whatever the pool had been
   * sent, where nobody can know whether it was read.
   */
  readonly loses: 'nothing' | 'executing' | 'sent'
  /** Whether a daemon is left that writes a line about it. */
  readonly logged: boolean
  /** Whether it leaves each execution its time: then it costs no attempt, and nothing runs twice. */
  readonly graceful: boolean
}

/** What is done at that moment. */
export const DEEDS = {
  'daemon killed': { listen: 'unix', loses: 'nothing', logged: true, graceful: false },
  'link reset': { listen: 'unix', loses: 'nothing', logged: true, graceful: false },
  'pool killed': { listen: 'unix', loses: 'executing', logged: true, graceful: false },
  'pool reloaded': { listen: 'unix', loses: 'nothing', logged: true, graceful: true },
  // What is left when a daemon that could have told is gone, too.
  'daemon and pool killed': { listen: 'unix', loses: 'sent', logged: false, graceful: false },
  // To a TCP pool: a reset proves nothing there.
  'pool link cut': { listen: 'tcp', loses: 'sent', logged: true, graceful: false },
} as const satisfies Record<string, DeedTraits>

export type Deed = keyof typeof DEEDS

export const ALL_DEEDS = Object.keys(DEEDS) as readonly Deed[]

export const traitsOf = (deed: Deed): DeedTraits => DEEDS[deed]

/** One round: the deed is done when its message is at that point. */
export interface Cut {
  readonly point: Point
  readonly deed: Deed
}

/** So many rounds, in turn over all points; each time a point comes, it is another deed's turn. */
export function plan(random: Random, rounds: number, deeds: readonly Deed[]): Cut[] {
  const firsts = new Map(POINTS.map((point) => [point, random.integer(0, deeds.length - 1)]))
  return Array.from({ length: rounds }, (_, n) => {
    const point = POINTS[n % POINTS.length] as Point
    const turn = (firsts.get(point) ?? 0) + Math.floor(n / POINTS.length)
    return { point, deed: deeds[turn % deeds.length] as Deed }
  })
}

/** Milliseconds: long enough to be met at it. */
const LONG = 400

/** What a message must ask for to come by that point. */
export function askedFor(point: Point, mode: AckMode, random: Random): Asked {
  // With `dispatched`, a worker's failure makes no copy.
  const copied: Asked =
    mode === 'completed' && random.integer(0, 1) === 0 ? { failures: 1 } : { unprocessable: true }
  switch (point) {
    case 'executing':
      return { ms: LONG }
    case 'before answered':
      return { lingers: LONG }
    case 'after answered':
      return { ms: 100 }
    case 'before copy published':
    case 'after copy published':
    case 'before confirmed':
    case 'after confirmed':
      return copied
    case 'before acked':
    case 'after acked':
      return random.integer(0, 1) === 0 ? copied : { ms: 5 }
    default:
      return { ms: 20, padding: PADDING }
  }
}

/** Bytes: more than a daemon writes in a moment for any other reason, so that the sending of it can be seen. */
export const PADDING = 16_384
