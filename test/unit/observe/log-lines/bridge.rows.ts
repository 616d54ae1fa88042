import { MET, type Row } from './samples.ts'

const OBSTACLE = {
  execution_id: 'e-1',
  message_id: 'm-1',
  type: 'invoice',
  subject: 'App\\Send',
  reason: 'a reason',
  status: 503,
  stderr: 'busy',
}

export const BRIDGE: readonly Row[] = [
  [
    {
      kind: 'starting',
      pid: 1,
      pool: '/run/p.sock',
      script: '/w.php',
      ack: 'completed',
      payload: 'form',
      concurrency: 4,
    },
    'info',
    'Starting.',
    { pid: 1, pool: '/run/p.sock', script: '/w.php', ack: 'completed', payload: 'form', concurrency: 4 },
  ],
  [
    { kind: 'copies-not-prepared', reason: 'away', attempt: 1 },
    'warn',
    'Cannot prepare dead letters and retries; trying again.',
    { reason: 'away' },
  ],
  [
    { kind: 'copies-not-prepared', reason: 'away', attempt: 2 },
    'debug',
    'Cannot prepare dead letters and retries; trying again.',
    { reason: 'away' },
  ],
  [
    { kind: 'executions-endless', consumerTimeoutMs: 5 },
    'warn',
    'Without --timeout a script may run for longer than the broker waits for an ack; then the broker delivers its message again, and all that are in flight.',
    { consumer_timeout_ms: 5 },
  ],
  [
    { kind: 'pool-shared', pool: '/p', bridges: ['a', 'b'], concurrency: 4 },
    'info',
    'Bridges share a pool: their --concurrency adds up.',
    { pool: '/p', bridges: ['a', 'b'], concurrency: 4 },
  ],
  [
    { kind: 'pool-described', pool: '/p', poolKind: 'static', children: 4, ping: true },
    'info',
    'The pool.',
    { pool: '/p', kind: 'static', children: 4, ping: true },
  ],
  [
    { kind: 'pool-kind-unknown', pool: '/p', statusPath: '/status', ping: false },
    'info',
    'The pool shows no status page (pm.status_path): of what kind it is, is not known.',
    { pool: '/p', status_path: '/status', ping: false },
  ],
  [
    { kind: 'pool-silent', pool: '/p', reason: 'away' },
    'debug',
    'The pool does not describe itself.',
    { pool: '/p', reason: 'away' },
  ],
  [
    { kind: 'children-too-few', pool: '/p', children: 2, concurrency: 4 },
    'warn',
    'The pool has fewer children than --concurrency: the other requests wait in its backlog, and their --timeout runs.',
    { pool: '/p', children: 2, concurrency: 4 },
  ],
  [
    { kind: 'clock-differs', aheadSeconds: 9 },
    'warn',
    'The clock of the pool differs from the clock of this machine: its workers refuse messages as too late that are not. Set both by NTP.',
    { ahead_s: 9 },
  ],
  [
    { kind: 'hold-began', lasting: false, reason: 'ENOENT', met: undefined },
    'warn',
    'Holding: nothing can be executed. Messages are kept and wait.',
    { reason: 'ENOENT' },
  ],
  [
    { kind: 'hold-changed', lasting: false, reason: 'a reason', met: MET },
    'warn',
    'Still holding, for another reason.',
    OBSTACLE,
  ],
  [{ kind: 'hold-over', heldMs: 9 }, 'info', 'The hold is over; dispatching.', { held_ms: 9 }],
  [
    { kind: 'intake-paused' },
    'warn',
    'Waiting messages go back to the broker, before they wait too long for it; not consuming.',
    {},
  ],
  [{ kind: 'intake-resumed' }, 'info', 'Consuming again.', {}],
]
