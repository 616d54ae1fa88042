import type { FleetSight } from '../../operate/fleet-view/sight.ts'
import type { FleetAction } from '../../operate/fleet-view/source.ts'
import type { Key } from './keys.ts'
import { rowsOf, type TopRow } from './rows.ts'

/** What is on the screen; plain data. */
export interface TopState {
  /** Where from, for people. */
  readonly source: string
  readonly canAct: boolean
  /** Undefined before the first look. */
  readonly sight: FleetSight | undefined
  /** Why there is no newer one. */
  readonly trouble: string | undefined
  /** Key of a row; where there is none such, the first one is meant. */
  readonly selected: string | undefined
  /** The queue that is paused if the answer is yes. */
  readonly asking: string | undefined
  /** What has come of what was told last. */
  readonly notice: string | undefined
}

/** What a key asks for beside another picture. */
export type Wish =
  | { readonly kind: 'nothing' | 'quit' | 'suspend' }
  | { readonly kind: FleetAction; readonly queue: string }

const NOTHING: Wish = { kind: 'nothing' }

export function rowsIn({ sight }: TopState): readonly TopRow[] {
  return sight === undefined ? [] : rowsOf(sight)
}

/** Where the selection is among the rows; -1 where there are none. */
export function selectionIn({ selected }: TopState, rows: readonly TopRow[]): number {
  const index = rows.findIndex(({ key }) => key === selected)
  return index === -1 ? Math.min(0, rows.length - 1) : index
}

/** @param page rows that a page key moves by */
export function press(state: TopState, key: Key, page: number): readonly [TopState, Wish] {
  if (key === 'quit') return [state, { kind: 'quit' }]
  if (key === 'suspend') return [state, { kind: 'suspend' }]
  if (state.asking !== undefined) {
    const answered = { ...state, asking: undefined }
    return key === 'yes' ? [answered, { kind: 'pause', queue: state.asking }] : [answered, NOTHING]
  }
  const calm = { ...state, notice: undefined }
  const rows = rowsIn(state)
  const row = rows[selectionIn(state, rows)]
  switch (key) {
    case 'pause':
    case 'resume':
      if (row === undefined) return [calm, NOTHING]
      if (!state.canAct)
        return [{ ...calm, notice: 'Only the broker can be told: start without --admin' }, NOTHING]
      if (key === 'pause') return [{ ...calm, asking: row.queue }, NOTHING]
      return isIdle(row) ? [calm, { kind: 'resume', queue: row.queue }] : [notPaused(calm, row), NOTHING]
    case 'yes':
    case 'no':
    case 'redraw':
      return [calm, NOTHING]
    default:
      return [
        { ...calm, selected: rows[moved(key, selectionIn(state, rows), rows.length, page)]?.key },
        NOTHING,
      ]
  }
}

function notPaused(state: TopState, { queue }: TopRow): TopState {
  return { ...state, notice: `${queue} is neither paused nor drained` }
}

const IDLE: readonly string[] = ['paused', 'drained', 'draining']

/** Whether a resume changes anything: of a queue that one of its daemons leaves alone. */
function isIdle({ bridges }: TopRow): boolean {
  return bridges.some(({ bridge: { state } }) => IDLE.includes(state))
}

type Move = Extract<Key, 'up' | 'down' | 'page-up' | 'page-down' | 'first' | 'last'>

function moved(key: Move, from: number, count: number, page: number): number {
  const to = {
    up: from - 1,
    down: from + 1,
    'page-up': from - page,
    'page-down': from + page,
    first: 0,
    last: count - 1,
  }[key]
  return Math.max(0, Math.min(count - 1, to))
}
