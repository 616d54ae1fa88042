import type { AckMode } from '../../src/bridge/ports.ts'

/** What is struck. Two faults overlap only when they strike different sides. */
export type Side = 'broker' | 'queue' | 'link' | 'pool' | 'worker' | 'daemon'

/**
 * How many executions a fault can do harm to:
 * - `none`;
 * - `one`: the one execution that it strikes;
 * - `daemon`: what one daemon has in its hands;
 * - `fleet`: what all daemons have in their hands.
 */
export type Reach = 'none' | 'one' | 'daemon' | 'fleet'

interface Kind {
  readonly side: Side
  /** Executions that may be completed, and come again because nobody learnt of it. */
  readonly doubles: Reach
  /** Messages that `--ack dispatched` may lose, each with a line in a log: php-fpm was executing them. */
  readonly loses: Reach
  /**
   * Executions whose child may be killed when it had read the request, and not begun the script: an attempt that never
   * ran, or with `--ack dispatched` a loss that was not executing. How many there are is the machine's doing, and a
   * figure. Default none.
   */
  readonly nips?: Reach
  /** Default both. */
  readonly mode?: AckMode
}

/** Every fault there is. What it does is in the file of its side, in `faults/`. */
export const FAULT_KINDS = {
  'broker killed': { side: 'broker', doubles: 'fleet', loses: 'none' },
  'broker app stopped': { side: 'broker', doubles: 'fleet', loses: 'none' },
  'connections closed': { side: 'broker', doubles: 'fleet', loses: 'none' },
  'permissions taken': { side: 'broker', doubles: 'fleet', loses: 'none' },
  'memory alarm': { side: 'broker', doubles: 'none', loses: 'none' },
  // Struck only while nothing is in flight, so that they destroy no message.
  'queue deleted': { side: 'queue', doubles: 'none', loses: 'none' },
  'dead-letter queue deleted': { side: 'queue', doubles: 'none', loses: 'none' },
  'retry queue deleted': { side: 'queue', doubles: 'none', loses: 'none' },
  'broker killed after a first retry': { side: 'queue', doubles: 'fleet', loses: 'none' },
  'dead-letter queue full': { side: 'queue', doubles: 'none', loses: 'none' },
  'link reset': { side: 'link', doubles: 'daemon', loses: 'none' },
  'link refused': { side: 'link', doubles: 'daemon', loses: 'none' },
  'link silent': { side: 'link', doubles: 'daemon', loses: 'none' },
  'link frozen': { side: 'link', doubles: 'daemon', loses: 'none' },
  'heartbeats lost': { side: 'link', doubles: 'daemon', loses: 'none' },
  'pool killed': { side: 'pool', doubles: 'fleet', loses: 'fleet', nips: 'fleet' },
  'pool reloaded at once': { side: 'pool', doubles: 'fleet', loses: 'fleet', nips: 'fleet' },
  'pool reloaded': { side: 'pool', doubles: 'none', loses: 'none' },
  // What waits in the backlog is reset unread: nothing has run, and nothing is lost.
  'pool stopped': { side: 'pool', doubles: 'none', loses: 'none' },
  'socket removed': { side: 'pool', doubles: 'none', loses: 'none' },
  'script missing': { side: 'pool', doubles: 'none', loses: 'none' },
  // With `dispatched` the message is php-fpm's, whatever the application makes of it.
  'application broken': { side: 'pool', doubles: 'none', loses: 'none', mode: 'completed' },
  'child killed before output': { side: 'worker', doubles: 'one', loses: 'one' },
  'child killed after output': { side: 'worker', doubles: 'one', loses: 'one' },
  'execution past its limit': { side: 'worker', doubles: 'none', loses: 'one' },
  'pool full': { side: 'worker', doubles: 'none', loses: 'none' },
  'daemon ended': { side: 'daemon', doubles: 'none', loses: 'none' },
  'daemon killed': { side: 'daemon', doubles: 'daemon', loses: 'none' },
} as const satisfies Record<string, Kind>

export type FaultKind = keyof typeof FAULT_KINDS

export const ALL_KINDS = Object.keys(FAULT_KINDS) as readonly FaultKind[]

export const kindOf = (kind: FaultKind): Kind => FAULT_KINDS[kind]

export const kindsIn = (mode: AckMode, kinds: readonly FaultKind[] = ALL_KINDS): FaultKind[] =>
  kinds.filter((kind) => (kindOf(kind).mode ?? mode) === mode)

/** In flight of each daemon at most: --concurrency. */
export const CONCURRENCY = 4

/** Unacked of each daemon at most: --prefetch. On a link that is cut, all of it may be executed and none acked. */
export const PREFETCH = 6

export const DAEMONS = 3

export const ALL_SLOTS: readonly number[] = Array.from({ length: DAEMONS }, (_, slot) => slot)

/** @param each of one daemon's messages */
const exposed = (reach: Reach, each: number): number =>
  ({ none: 0, one: 1, daemon: each, fleet: each * DAEMONS })[reach]

/** How many messages one such fault may have executed twice at most. */
export const doublesAtMost = (kind: FaultKind): number => exposed(kindOf(kind).doubles, PREFETCH)

/** How many messages one such fault may cost at most. What is acked when it has succeeded is never lost. */
export const losesAtMost = (kind: FaultKind, mode: AckMode): number =>
  mode === 'completed' ? 0 : exposed(kindOf(kind).loses, CONCURRENCY)

/** How many executions one such fault may have ended between the reading of the request and the script's first line. */
export const nippedAtMost = (kind: FaultKind): number => exposed(kindOf(kind).nips ?? 'none', CONCURRENCY)

/**
 * Whether two faults may be in the world at the same time.
 *
 * Not where the second would only wait for the first, and not where nobody could know what happened: a killed daemon
 * writes no line about what its pool loses meanwhile.
 */
export function mayOverlap(one: FaultKind, other: FaultKind): boolean {
  const sides = [kindOf(one).side, kindOf(other).side]
  if (sides[0] === sides[1] || sides.includes('queue')) return false
  if (sides.includes('pool') && sides.includes('worker')) return false
  if (sides.includes('daemon')) return sides.includes('broker')
  return true
}
