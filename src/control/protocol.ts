/*
 * What operators and daemons say to each other through the broker. A command goes to the exchange, which hands it to a queue of each
 * daemon; every daemon that it is meant for answers to `reply_to`. In the work queue the same types are messages to whichever daemon
 * gets them.
 */

/** A durable topic exchange. The routing key is the verb; each daemon binds a queue of its own by `#`. */
export const CONTROL_EXCHANGE = 'fpm-bridge'

/** What the AMQP `type` of control messages begins with; the rest is the verb. */
export const CONTROL_TYPE = 'fpm-bridge.'

/** Beside a queue that is paused there is a durable queue of its name and this. */
export const PAUSE_SUFFIX = '.paused'

/**
 * - `ping`: say how you are
 * - `pause`, `resume`: somebody has put the marker of a queue, or taken it away: look
 * - `drain`: settle what you have and take no more, until you are told to resume
 * - `resume`: as above, and after a drain take messages again
 * - `reload`: read the configuration again
 */
export const VERBS = ['ping', 'pause', 'resume', 'drain', 'reload'] as const
export type Verb = (typeof VERBS)[number]

/** The body of a command, as JSON. Without a queue or a daemon it is meant for all of them. */
export interface Command {
  readonly queue?: string
  /** A daemon id. */
  readonly daemon?: string
  /** Whether the answer is to have what is optional in it and has to be found out: pools, failures. */
  readonly detail?: boolean
}

/** Why a queue is paused: the body of the one message in its marker, as JSON. A marker made by hand may have none. */
export interface PauseNote {
  /** Who: user and host. */
  readonly by?: string
  /** ISO 8601. */
  readonly at?: string
  readonly reason?: string
  /** ISO 8601: the pause ends by itself then. */
  readonly until?: string
}

/** What a daemon answers, as JSON, to each command that it is meant for: how it is after it has obeyed. */
export interface DaemonReport {
  readonly daemon_id: string
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly uptime_s: number
  readonly bridges: readonly BridgeReport[]
  /** With `detail`, as far as there is a status page; up to 10 s old. */
  readonly pools?: readonly PoolReport[]
  /** With `detail`: the last of all bridges, the latest first. */
  readonly failures?: readonly FailureReport[]
  /** Why it has not obeyed, or not yet. */
  readonly error?: string
}

/** Of php-fpm's status page. */
export interface PoolReport {
  /** Where it listens. */
  readonly pool: string
  readonly busy: number
  readonly children: number
  /** Requests that wait for a child; 0 on a Unix socket, whatever waits there. */
  readonly listen_queue: number
}

/** A message that was not executed with success. */
export interface FailureReport {
  /** ISO 8601. */
  readonly time: string
  readonly queue: string
  readonly outcome: string
  readonly reason: string
  readonly message_id?: string
}

/**
 * `drained`: told to take no more, with nothing in flight; it stays. `draining`: there is something in flight yet, or the process is about
 * to end. `paused`: its queue is; what is in flight goes on.
 */
export type BridgeState = 'starting' | 'running' | 'held' | 'paused' | 'draining' | 'drained'

export interface BridgeReport {
  readonly name: string
  readonly queue: string
  readonly state: BridgeState
  readonly session: 'up' | 'down'
  /** Executing, or not settled yet. */
  readonly in_flight: number
  readonly concurrency: number
  /** Delivered, and waiting for their turn. */
  readonly waiting: number
  /** Since its start, by outcome. */
  readonly messages: Readonly<Record<string, number>>
  /** Messages that ended in the last 10 s, a second. */
  readonly rate: number
  /** How long executions took in the last minute, or a part of it, in milliseconds. */
  readonly execution_ms?: Quantiles
  /** Seconds that the message which has started last was old by then; missing where it has no timestamp. */
  readonly age_s?: number
  readonly hold?: { readonly reason: string; readonly held_ms: number }
  readonly pause?: PauseNote
}

export interface Quantiles {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}
