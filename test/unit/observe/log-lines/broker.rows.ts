import type { Row } from './samples.ts'

export const BROKER: readonly Row[] = [
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
