import type { BridgeLifeEvent, HoldEvent } from '../../bridge/events.ts'
import { obstacleFields } from './fields.ts'
import { type Line, type Lines, NO_FIELDS } from './line.ts'

type NotPrepared = Extract<BridgeLifeEvent, { kind: 'copies-not-prepared' }>

const NOT_PREPARED: Line<NotPrepared> = [
  'warn',
  'Cannot prepare dead letters and retries; trying again.',
  ({ reason }) => ({ reason }),
]
const STILL_NOT_PREPARED: Line<NotPrepared> = ['debug', NOT_PREPARED[1], NOT_PREPARED[2]]

/** The bridge, and the pool it has. */
export const BRIDGE_LINES: Lines<BridgeLifeEvent | HoldEvent> = {
  starting: [
    'info',
    'Starting.',
    ({ pid, pool, script, ack, payload, concurrency }) => ({ pid, pool, script, ack, payload, concurrency }),
  ],
  'copies-not-prepared': ({ attempt }) => (attempt === 1 ? NOT_PREPARED : STILL_NOT_PREPARED),
  'executions-endless': [
    'warn',
    'Without --timeout a script may run for longer than the broker waits for an ack; then the broker delivers its message again, and all that are in flight.',
    ({ consumerTimeoutMs }) => ({ consumer_timeout_ms: consumerTimeoutMs }),
  ],
  'pool-shared': [
    'info',
    'Bridges share a pool: their --concurrency adds up.',
    ({ pool, bridges, concurrency }) => ({ pool, bridges, concurrency }),
  ],
  'pool-described': [
    'info',
    'The pool.',
    ({ pool, poolKind, children, ping }) => ({ pool, kind: poolKind, children, ping }),
  ],
  'pool-kind-unknown': [
    'info',
    'The pool shows no status page (pm.status_path): of what kind it is, is not known.',
    ({ pool, statusPath, ping }) => ({ pool, status_path: statusPath, ping }),
  ],
  'pool-silent': ['debug', 'The pool does not describe itself.', ({ pool, reason }) => ({ pool, reason })],
  'children-too-few': [
    'warn',
    'The pool has fewer children than --concurrency: the other requests wait in its backlog, and their --timeout runs.',
    ({ pool, children, concurrency }) => ({ pool, children, concurrency }),
  ],
  'clock-differs': [
    'warn',
    'The clock of the pool differs from the clock of this machine: its workers refuse messages as too late that are not. Set both by NTP.',
    ({ aheadSeconds }) => ({ ahead_s: aheadSeconds }),
  ],
  'hold-began': ({ lasting }) => [
    lasting ? 'error' : 'warn',
    'Holding: nothing can be executed. Messages are kept and wait.',
    obstacleFields,
  ],
  'hold-changed': ({ lasting }) => [
    lasting ? 'error' : 'warn',
    'Still holding, for another reason.',
    obstacleFields,
  ],
  'intake-paused': [
    'warn',
    'Waiting messages go back to the broker, before they wait too long for it; not consuming.',
    NO_FIELDS,
  ],
  'intake-resumed': ['info', 'Consuming again.', NO_FIELDS],
  'hold-over': ['info', 'The hold is over; dispatching.', ({ heldMs }) => ({ held_ms: heldMs })],
}
