import { describe, expect, it } from 'vitest'
import type { BridgeEvent } from '../../../src/bridge/events.ts'
import type { FinishedExecution, OutcomeCopy, PutBackCopy, ResetCopy } from '../../../src/bridge/facts.ts'
import { logLines } from '../../../src/observe/log-lines.ts'
import type { LogLevel } from '../../../src/observe/logger.ts'
import { recordingLog } from './recording-log.ts'

/*
 * Users read the log by these sentences, and script it by these fields: each is written here as it is.
 */

const EXECUTION: FinishedExecution = {
  deliveryTag: 7,
  executionId: 'e-1',
  messageId: 'm-1',
  correlationId: 'c-1',
  type: 'invoice',
  attempt: 2,
  traceId: '0af7651916cd43dd8448eb211c80319c',
  durationMs: 30,
}
/** Its ids, as they are in a line. */
const IDS = {
  delivery_tag: 7,
  execution_id: 'e-1',
  message_id: 'm-1',
  correlation_id: 'c-1',
  type: 'invoice',
  attempt: 2,
  trace_id: '0af7651916cd43dd8448eb211c80319c',
}
const ENDED = { ...IDS, duration_ms: 30 }
const DIAGNOSIS = { reason: 'a reason', status: 503, stderr: 'busy', subject: 'App\\Send' }
const FINISHED = { ...ENDED, subject: undefined }
const FAILED = { ...ENDED, ...DIAGNOSIS }

const RETRY: OutcomeCopy = {
  purpose: 'retry',
  execution: EXECUTION,
  outcome: { kind: 'retry', retryAfterMs: 0, ...DIAGNOSIS },
  delayMs: 2_000,
}
const DEAD: OutcomeCopy = {
  purpose: 'dead-letter',
  execution: EXECUTION,
  outcome: { kind: 'dead-letter', cause: 'rejected', ...DIAGNOSIS },
  deadLetterQueue: 'q.dead',
}
const PUT_BACK: PutBackCopy = {
  purpose: 'put-back',
  execution: EXECUTION,
  queue: 'q',
  reason: 'no script',
  subject: 'App',
}
const RESET: ResetCopy = {
  purpose: 'reset-delivery-count',
  deliveryTag: 7,
  messageId: 'm-1',
  queue: 'q',
  reason: 'it has come back 10 times',
}
const RETRIED = { ...FAILED, outcome: 'retry', delay_ms: 2_000 }
const DEAD_LETTERED = { ...FAILED, outcome: 'dead-letter', dead_letter_queue: 'q.dead' }
const PUT = { ...IDS, subject: 'App', outcome: 'hold', reason: 'no script' }
const SUMMARY = { parked: 1, copyTo: ['q.dead'], causes: ['closed'], messageIds: ['m-1'] }
const MET = { execution: EXECUTION, diagnosis: DIAGNOSIS }
const SUMMARY_FIELDS = { parked: 1, copy_to: ['q.dead'], causes: ['closed'], message_ids: ['m-1'] }

type Row = readonly [
  event: BridgeEvent,
  level: LogLevel,
  sentence: string,
  fields: Readonly<Record<string, unknown>>,
]

const settledBy = (copy: OutcomeCopy, parked?: number): BridgeEvent => {
  const { execution, outcome } = copy
  return { kind: 'settled', by: 'copy', execution, outcome, copy, copyTo: 'q.x', acked: true, parked }
}
const copyFailed = (copy: OutcomeCopy | PutBackCopy | ResetCopy, repeated: boolean): BridgeEvent => ({
  kind: 'copy-failed',
  copy,
  copyTo: 'q.x',
  cause: 'Error: full',
  attempt: 3,
  repeated,
})

const DELIVERIES: readonly Row[] = [
  [
    { kind: 'adopted', deliveryTag: 7, messageId: 'm-1' },
    'info',
    'Delivered again while it is executed: that execution goes on, and settles it.',
    { delivery_tag: 7, message_id: 'm-1' },
  ],
  [
    { kind: 'param-left-out', execution: EXECUTION, param: 'AMQP_TYPE', why: 'it has a control character' },
    'warn',
    'AMQP_TYPE is left out: it has a control character',
    IDS,
  ],
  [{ kind: 'sent', execution: EXECUTION }, 'debug', 'Dispatched.', IDS],
  [
    { kind: 'held', execution: EXECUTION, reason: 'ENOENT', probing: true },
    'debug',
    'Not executed: it waits, or goes back to the broker.',
    { ...IDS, outcome: 'hold', probing: true, reason: 'ENOENT' },
  ],
  [
    { kind: 'fields-dropped', execution: EXECUTION, stderr: 'x' },
    'warn',
    'The worker says success, and PHP had dropped fields of its form: raise the limit that stderr names, or take --payload raw.',
    { ...IDS, stderr: 'x' },
  ],
  [
    { kind: 'settled', by: 'ack', execution: EXECUTION, outcome: { kind: 'executed', status: 204 } },
    'info',
    'Executed.',
    { ...FINISHED, outcome: 'executed', status: 204 },
  ],
  [
    { kind: 'settled', by: 'ack', execution: EXECUTION, outcome: { kind: 'refused', ...DIAGNOSIS } },
    'warn',
    'The worker answered, and not with success.',
    { ...FAILED, outcome: 'refused' },
  ],
  [settledBy(RETRY), 'warn', 'To be executed again.', RETRIED],
  [settledBy(DEAD), 'warn', 'Dead-lettered.', DEAD_LETTERED],
  [
    settledBy(DEAD, 3),
    'info',
    'A parked message is settled: its copy has been published.',
    { ...DEAD_LETTERED, copy_to: 'q.x', parked: 3 },
  ],
  [
    {
      kind: 'unsettled',
      execution: EXECUTION,
      outcome: { kind: 'executed', status: 200 },
      copy: undefined,
    },
    'warn',
    'Executed, but its session has ended: the broker delivers it again.',
    { ...FINISHED, outcome: 'executed', status: 200 },
  ],
  [
    { kind: 'unsettled', execution: EXECUTION, outcome: { kind: 'lost', ...DIAGNOSIS }, copy: undefined },
    'warn',
    'Not settled: the broker delivers it again.',
    { ...FAILED, outcome: 'lost' },
  ],
  [
    { kind: 'unsettled', execution: EXECUTION, outcome: DEAD.outcome, copy: DEAD },
    'warn',
    'Not settled: the broker delivers it again.',
    DEAD_LETTERED,
  ],
  [
    { kind: 'lost', why: 'no-answer', execution: EXECUTION, diagnosis: DIAGNOSIS },
    'error',
    'Acked, and no complete answer: nobody knows whether it was executed.',
    { ...FAILED, outcome: 'lost' },
  ],
  [
    { kind: 'lost', why: 'not-copied', copy: DEAD },
    'error',
    'Acked, and its copy not published in time: lost.',
    { ...DEAD_LETTERED, outcome: 'lost' },
  ],
  [
    { kind: 'lost', why: 'not-put-back', copy: PUT_BACK },
    'error',
    'Not executed, though acked, and not put back in time: lost.',
    { ...PUT, outcome: 'lost' },
  ],
  [
    { kind: 'lost', why: 'abandoned', execution: EXECUTION },
    'error',
    'Acked, and still executing: nobody will know what becomes of it.',
    { ...IDS, outcome: 'lost' },
  ],
]

const COPIES: readonly Row[] = [
  [{ kind: 'put-back', copy: PUT_BACK }, 'warn', 'Not executed, though acked: put back into its queue.', PUT],
  [
    { kind: 'delivery-count-reset', copy: RESET },
    'warn',
    'Put back into its queue as a new message.',
    { delivery_tag: 7, message_id: 'm-1', reason: 'it has come back 10 times' },
  ],
  [
    copyFailed(DEAD, false),
    'error',
    'Cannot publish the copy of a message; repeated until it succeeds.',
    { ...DEAD_LETTERED, copy_to: 'q.x', cause: 'Error: full', publish_attempt: 3 },
  ],
  [
    copyFailed(RESET, true),
    'debug',
    'Cannot publish the copy of a message; repeated until it succeeds.',
    {
      delivery_tag: 7,
      message_id: 'm-1',
      reason: 'it has come back 10 times',
      copy_to: 'q.x',
      cause: 'Error: full',
      publish_attempt: 3,
    },
  ],
  [
    { kind: 'headers-left-out', copy: RETRY, cause: 'Error: too large' },
    'warn',
    'Headers of the message are left out of its copy.',
    { ...RETRIED, cause: 'Error: too large' },
  ],
  [
    { kind: 'queue-passed-over', copy: RETRY, passedOver: 'q.1', copyTo: 'q.2' },
    'warn',
    'Another retry queue takes the copy.',
    { ...RETRIED, passed_over: 'q.1', copy_to: 'q.2' },
  ],
  [
    { kind: 'parked', copy: DEAD, copyTo: 'q.dead', cause: 'closed', parked: 1 },
    'warn',
    'Parked: the message stays with the broker, unacked, until its copy can be published. It is not executed again.',
    { ...DEAD_LETTERED, copy_to: 'q.dead', cause: 'closed', parked: 1 },
  ],
  [
    { kind: 'parked-again', copy: DEAD, copyTo: 'q.dead' },
    'info',
    'A parked message is back, and stays parked.',
    { ...DEAD_LETTERED, copy_to: 'q.dead' },
  ],
  [
    { kind: 'parking-full', copy: DEAD, copyTo: 'q.dead', parked: 1_000, bytes: 5 },
    'error',
    'No more messages can be parked; when as many wait as --prefetch allows, no more are taken.',
    { ...DEAD_LETTERED, copy_to: 'q.dead', parked: 1_000, bytes: 5 },
  ],
  [
    { kind: 'parked-handed-back', summary: SUMMARY },
    'warn',
    'Parked messages are handed back: they will be executed again.',
    SUMMARY_FIELDS,
  ],
  [
    { kind: 'still-parked', summary: SUMMARY, bytes: 5 },
    'error',
    'Messages are still parked: their copies cannot be published.',
    { ...SUMMARY_FIELDS, bytes: 5 },
  ],
]

const OBSTACLE = {
  execution_id: 'e-1',
  message_id: 'm-1',
  type: 'invoice',
  subject: 'App\\Send',
  reason: 'a reason',
  status: 503,
  stderr: 'busy',
}

const BRIDGE: readonly Row[] = [
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
    { kind: 'hold-began', reason: 'ENOENT', met: undefined },
    'warn',
    'Holding: nothing can be executed. Messages are kept and wait.',
    { reason: 'ENOENT' },
  ],
  [
    { kind: 'hold-changed', reason: 'a reason', met: MET },
    'warn',
    'Still holding, for another reason.',
    OBSTACLE,
  ],
  [{ kind: 'hold-over', heldMs: 9 }, 'info', 'The hold is over; dispatching.', { held_ms: 9 }],
]

const BROKER: readonly Row[] = [
  [
    { kind: 'broker-unverified', broker: 'amqps://b' },
    'warn',
    'The certificate of the broker is not verified (--tls-insecure): anybody may pose as it.',
    { broker: 'amqps://b' },
  ],
  [{ kind: 'broker-passed-over', reason: 'away' }, 'warn', 'Passed over a broker.', { reason: 'away' }],
  [
    { kind: 'consuming', broker: 'amqp://b', queue: 'q', prefetch: 6 },
    'info',
    'Consuming.',
    { broker: 'amqp://b', prefetch: 6 },
  ],
  [
    { kind: 'not-consuming', reason: 'away' },
    'warn',
    'Not consuming; trying again until it works.',
    { reason: 'away' },
  ],
  [
    { kind: 'session-ended', reason: 'gone', cause: 'connection-lost', brokerConsumerTimeoutMs: undefined },
    'warn',
    'The session with the broker has ended; opening another.',
    { reason: 'gone' },
  ],
  [
    { kind: 'session-ended', reason: 'timed out', cause: 'consumer-timeout', brokerConsumerTimeoutMs: 900 },
    'warn',
    'The session with the broker has ended; opening another.',
    { reason: 'timed out; --consumer-timeout and --timeout must stay below 900 ms' },
  ],
  [
    { kind: 'intake-paused' },
    'warn',
    'Waiting messages go back to the broker, before they wait too long for it; not consuming.',
    {},
  ],
  [{ kind: 'intake-resumed' }, 'info', 'Consuming again.', {}],
  [
    { kind: 'queue-finding', finding: 'transient', queue: 'q', reason: 'auto-delete' },
    'warn',
    'This queue will lose messages (--allow-transient-queue).',
    { about_queue: 'q', reason: 'auto-delete' },
  ],
  [
    { kind: 'queue-finding', finding: 'unknown', queue: 'q', reason: 'refused' },
    'info',
    'Taken as it is.',
    { about_queue: 'q', reason: 'refused' },
  ],
  [
    { kind: 'queue-silent', queue: 'q', remedy: 'start its nodes' },
    'error',
    'A queue does not answer.',
    { about_queue: 'q', remedy: 'start its nodes' },
  ],
  [
    { kind: 'broker-blocked', reason: 'low on memory' },
    'warn',
    'The broker takes no messages at the moment; publishing waits.',
    { reason: 'low on memory' },
  ],
  [{ kind: 'broker-unblocked' }, 'info', 'The broker takes messages again.', {}],
  [
    {
      kind: 'consumer-timeout-short',
      brokerConsumerTimeoutMs: 1,
      consumerTimeoutMs: 2,
      timeoutMs: 3,
    },
    'error',
    "The broker's consumer_timeout is shorter than --consumer-timeout: what is executed for longer ends the session, and is acked only if it comes back to this daemon. Raise it there, or set --consumer-timeout to it and --timeout below it.",
    { broker_consumer_timeout_ms: 1, consumer_timeout_ms: 2, timeout_ms: 3 },
  ],
]

describe.each([
  ['a delivery', DELIVERIES],
  ['a copy', COPIES],
  ['the bridge', BRIDGE],
  ['the broker', BROKER],
])('of %s the log says', (_, rows) => {
  it.each(rows.map(([event, level, sentence, fields]) => ({ event, level, sentence, fields })))(
    '$sentence ($event.kind)',
    ({ event, level, sentence, fields }) => {
      const log = recordingLog()
      logLines(log)(event)
      expect(log.lines).toEqual([{ level, message: sentence, fields }])
    },
  )
})

describe('the log says nothing', () => {
  it.each<BridgeEvent>([
    { kind: 'delivered', deliveryTag: 1, messageId: undefined, redelivered: false, bytes: 1 },
    { kind: 'started', execution: EXECUTION, waitedMs: 0, timestamp: undefined },
    { kind: 'answered', execution: EXECUTION, status: 200, timings: { connect: 0, firstByte: 0, total: 0 } },
  ])('of what each delivery has on its way: $kind', (event) => {
    const log = recordingLog()
    logLines(log)(event)
    expect(log.lines).toEqual([])
  })

  it('and looks into no event whose level nobody reads', () => {
    const log = { ...recordingLog(), wants: (level: LogLevel) => level !== 'debug' }
    const execution = Object.defineProperty({ ...EXECUTION }, 'messageId', {
      get: () => {
        throw new Error('looked into')
      },
    })
    logLines(log)({ kind: 'sent', execution })
    expect(log.lines).toEqual([])
  })
})

it.each<[string, string | undefined]>([
  ['x'.repeat(3_000), 'x'.repeat(2_048)],
  ['', undefined],
])('a line has the beginning of a long stderr, and none of an empty one', (stderr, shown) => {
  const log = recordingLog()
  const outcome = { kind: 'dead-letter', cause: 'rejected', ...DIAGNOSIS, stderr } as const
  logLines(log)(
    settledBy({ purpose: 'dead-letter', execution: EXECUTION, outcome, deadLetterQueue: 'q.dead' }),
  )
  expect(log.lines[0]?.fields['stderr']).toBe(shown)
})

it('with --log-messages failures, success is of level debug, and nothing else', () => {
  const log = recordingLog()
  const tell = logLines(log, 'failures')
  tell({ kind: 'settled', by: 'ack', execution: EXECUTION, outcome: { kind: 'executed', status: 200 } })
  tell(settledBy(DEAD))
  expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
    ['debug', 'Executed.'],
    ['warn', 'Dead-lettered.'],
  ])
})

describe('what operators tell it', () => {
  const NOTE = { by: 'ops', at: 'then', reason: 'a migration', until: 'later' }
  const MESSAGE = { deliveryTag: 1, messageId: 'm-1', replyTo: 'r', refusal: undefined }

  it.each<[BridgeEvent, LogLevel, string, Readonly<Record<string, unknown>>]>([
    [
      { kind: 'pause-began', cause: { kind: 'queue', note: NOTE } },
      'warn',
      'Paused. What is in flight goes on; everything else waits in the queue.',
      NOTE,
    ],
    [
      { kind: 'pause-began', cause: { kind: 'drain' } },
      'warn',
      'Told to drain: what is in flight goes on, and no more is taken until somebody says resume.',
      {},
    ],
    [
      { kind: 'pause-changed', cause: { kind: 'queue', note: NOTE } },
      'info',
      'Still paused; its marker says something else.',
      NOTE,
    ],
    [
      { kind: 'pause-over', cause: 'queue', stillPaused: false },
      'info',
      'Resumed: the queue is not paused any more.',
      {},
    ],
    [
      { kind: 'pause-over', cause: 'drain', stillPaused: true },
      'info',
      'Told to resume.',
      { still_paused: true },
    ],
    [
      { kind: 'control-open', broker: 'amqp://b', exchange: 'fpm-bridge' },
      'info',
      'Listening for commands.',
      { broker: 'amqp://b', exchange: 'fpm-bridge' },
    ],
    [
      { kind: 'control-refused', reason: 'r' },
      'warn',
      'No commands come by the exchange; all else works. Tried again each minute.',
      { reason: 'r' },
    ],
    [
      { kind: 'answers-refused', reason: 'r' },
      'warn',
      'Nobody gets answers to commands, which are obeyed all the same.',
      { reason: 'r' },
    ],
    [{ kind: 'commanded', verb: 'drain', queue: 'q' }, 'debug', 'Commanded: drain.', { queue: 'q' }],
    [
      { kind: 'command-ignored', reason: 'r', count: 1 },
      'warn',
      'Ignored what is no command.',
      { reason: 'r' },
    ],
    [
      { kind: 'command-ignored', reason: 'r', count: 7 },
      'warn',
      'Ignored what is no command.',
      { reason: 'r', count: 7 },
    ],
    [
      { kind: 'control-message', verb: 'ping', ...MESSAGE },
      'debug',
      'Answered a ping in the queue.',
      { delivery_tag: 1, message_id: 'm-1', reply_to: 'r', refusal: undefined },
    ],
    [
      { kind: 'control-message', verb: 'shutdown', ...MESSAGE },
      'info',
      'A message in the queue tells this process to end.',
      { delivery_tag: 1, message_id: 'm-1', reply_to: 'r', refusal: undefined },
    ],
  ])('%j', (event, level, sentence, fields) => {
    const log = recordingLog()
    logLines(log)(event)
    expect(log.lines).toEqual([{ level, message: sentence, fields }])
  })
})
