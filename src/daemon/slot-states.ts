import { backoff } from '../bridge/backoff.ts'

/**
 * One of the N places of a fleet. Processes are told apart by numbers.
 *
 * `failures`: processes in a row that ended soon after they had begun to consume, or before.
 */
export type SlotState =
  /** Nobody is there; a process starts after a rest. */
  | { readonly kind: 'resting'; readonly failures: number }
  /** It does not consume yet. */
  | { readonly kind: 'starting'; readonly child: number; readonly failures: number }
  /** `since`: milliseconds of a clock that nobody sets. */
  | { readonly kind: 'working'; readonly child: number; readonly since: number; readonly failures: number }
  /** It goes on until its successor consumes. Without a successor, one starts after a rest. */
  | {
      readonly kind: 'relieving'
      readonly child: number
      readonly since: number
      readonly successor: number | undefined
      readonly failures: number
    }
  /** The fleet ends: what ends is not replaced. */
  | { readonly kind: 'closed' }

export type SlotEvent =
  | { readonly kind: 'rested' }
  | { readonly kind: 'consumes'; readonly child: number }
  | { readonly kind: 'tired'; readonly child: number }
  | { readonly kind: 'ended'; readonly child: number }

/** What an event makes of a state. */
export interface Step {
  readonly state: SlotState
  /** The process to start. */
  readonly start?: number
  /** Milliseconds until `rested`; `turn`: as long as it takes until this slot may have a successor. */
  readonly rest?: number | 'turn'
  /** The process to retire. */
  readonly retire?: number
}

/** Where and when an event happens. */
export interface Moment {
  readonly now: number
  /** The number of the process that would start. */
  readonly fresh: number
}

/** Milliseconds of consuming after which the end of a process is no failure to start. */
const SHORT_LIFE = 2_000

/** Milliseconds: the shortest rest, and the range whose random upper half is rested. */
const REST = { least: 1_000, min: 2_000, max: 30_000 } as const

type Kind = SlotState['kind']
type In<K extends Kind> = Extract<SlotState, { kind: K }>
type Row<K extends Kind> = {
  readonly [E in SlotEvent['kind']]?: (
    state: In<K>,
    event: Extract<SlotEvent, { kind: E }>,
    moment: Moment,
  ) => Step | undefined
}

/** What a slot does about what happens. What has no place here changes nothing: the end of one that was retired, for example. */
const POLICY: { readonly [K in Kind]: Row<K> } = {
  resting: {
    rested: ({ failures }, _, { fresh }) => starting(fresh, failures),
  },
  starting: {
    consumes: (state, { child }, { now }) => own(state, child, working(child, now, state.failures)),
    ended: (state, { child }, { fresh }) => own(state, child, again(state.failures + 1, fresh)),
  },
  working: {
    tired: (state, { child }, { now }) => {
      const failures = now - state.since < SHORT_LIFE ? state.failures : 0
      return own(state, child, {
        state: { ...state, kind: 'relieving', successor: undefined, failures },
        rest: 'turn',
      })
    },
    ended: (state, { child }, { now, fresh }) => own(state, child, again(failuresAfter(state, now), fresh)),
  },
  relieving: {
    rested: (state, _, { fresh }) => ({ state: { ...state, successor: fresh }, start: fresh }),
    consumes: (state, { child }, { now }) =>
      state.successor === child ? { ...working(child, now, state.failures), retire: state.child } : undefined,
    ended: (state, { child }, { now, fresh }) => {
      if (state.successor === child) {
        const failures = state.failures + 1
        return {
          state: { ...state, successor: undefined, failures },
          rest: Math.max(REST.least, restAfter(failures)),
        }
      }
      if (state.child !== child) return undefined
      if (state.successor !== undefined) return starting(state.successor, state.failures, false)
      return again(failuresAfter(state, now), fresh)
    },
  },
  closed: {},
}

/** @returns undefined where the event changes nothing */
export function step(state: SlotState, event: SlotEvent, moment: Moment): Step | undefined {
  const react = POLICY[state.kind][event.kind] as
    | ((state: SlotState, event: SlotEvent, moment: Moment) => Step | undefined)
    | undefined
  return react?.(state, event, moment)
}

/** A first failure is made good at once: a process may be killed while it starts. Those in a row are a loop. */
export function restAfter(failures: number): number {
  return failures <= 1 ? 0 : Math.max(REST.least, backoff(failures - 1, REST))
}

function own(state: { readonly child: number }, child: number, next: Step): Step | undefined {
  return state.child === child ? next : undefined
}

function starting(child: number, failures: number, isNew = true): Step {
  return { state: { kind: 'starting', child, failures }, ...(isNew && { start: child }) }
}

function working(child: number, since: number, failures: number): Step {
  return { state: { kind: 'working', child, since, failures } }
}

function again(failures: number, fresh: number): Step {
  const rest = restAfter(failures)
  return rest === 0 ? starting(fresh, failures) : { state: { kind: 'resting', failures }, rest }
}

function failuresAfter({ since, failures }: In<'working' | 'relieving'>, now: number): number {
  return now - since < SHORT_LIFE ? failures + 1 : 0
}
