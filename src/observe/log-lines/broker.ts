import type { BrokerEvent } from '../../bridge/events.ts'
import { type Line, type Lines, NO_FIELDS } from './line.ts'

type Finding = Extract<BrokerEvent, { kind: 'queue-finding' }>

const FINDINGS: Readonly<Record<Finding['finding'], Line<Finding>>> = {
  transient: [
    'warn',
    'This queue will lose messages (--allow-transient-queue).',
    ({ queue, reason }) => ({ about_queue: queue, reason }),
  ],
  unknown: ['info', 'Taken as it is.', ({ queue, reason }) => ({ about_queue: queue, reason })],
}

/** The bridge and its brokers. */
export const BROKER_LINES: Lines<BrokerEvent> = {
  'broker-unverified': [
    'warn',
    'The certificate of the broker is not verified (--tls-insecure): anybody may pose as it.',
    ({ broker }) => ({ broker }),
  ],
  'broker-passed-over': ['warn', 'Passed over a broker.', ({ reason }) => ({ reason })],
  consuming: ['info', 'Consuming.', ({ broker, prefetch }) => ({ broker, prefetch })],
  'not-consuming': ['warn', 'Not consuming; trying again until it works.', ({ reason }) => ({ reason })],
  'session-ended': [
    'warn',
    'The session with the broker has ended; opening another.',
    ({ reason, brokerConsumerTimeoutMs: patience }) => ({
      reason:
        patience === undefined
          ? reason
          : `${reason}; --consumer-timeout and --timeout must stay below ${patience} ms`,
    }),
  ],
  'queue-finding': ({ finding }) => FINDINGS[finding],
  'queue-silent': [
    'error',
    'A queue does not answer.',
    ({ queue, remedy }) => ({ about_queue: queue, remedy }),
  ],
  'broker-blocked': [
    'warn',
    'The broker takes no messages at the moment; publishing waits.',
    ({ reason }) => ({ reason }),
  ],
  'broker-unblocked': ['info', 'The broker takes messages again.', NO_FIELDS],
  'consumer-timeout-short': [
    'error',
    "The broker's consumer_timeout is shorter than --consumer-timeout: what is executed for longer ends the session, and is acked only if it comes back to this daemon. Raise it there, or set --consumer-timeout to it and --timeout below it.",
    ({ brokerConsumerTimeoutMs, consumerTimeoutMs, timeoutMs }) => ({
      broker_consumer_timeout_ms: brokerConsumerTimeoutMs,
      consumer_timeout_ms: consumerTimeoutMs,
      timeout_ms: timeoutMs,
    }),
  ],
}
