import { setTimeout as sleep } from 'node:timers/promises'
import { type BridgeProcess, type LogLine, spawnBridge } from '../support/bridge-process.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import type { Exit } from '../support/owned-process.ts'
import { freePorts } from '../support/ports.ts'
import type { Releases } from '../support/releases.ts'
import { CONCURRENCY, DAEMONS, PREFETCH } from './fault-kinds.ts'
import type { ChaosOptions } from './options.ts'
import { DAEMON_USER, QUEUE, type Stage } from './stage.ts'

export interface Daemon {
  /** `D-<slot>-<generation>`, never used again. */
  readonly id: string
  readonly process: BridgeProcess
  /** Whether we have sent it a signal that ends it. */
  dismissed: boolean
}

/** Milliseconds before a daemon that has ended by itself is replaced, as a service manager does it. */
const RESTART_DELAY = 500

/** After so many nothing is proved any more, and their places stay empty. */
const MOST_FAILURES = 10

/** Seconds. The last daemon's is short, so that it notices a link that lost its heartbeats soon. */
const HEARTBEATS = [10, 10, 2]

/** The daemon whose heartbeat is short. */
export const WATCHFUL = DAEMONS - 1

/** The daemons, each with a link of its own to the broker; one that ends is replaced. */
export class Fleet {
  /** By slot. */
  readonly links: readonly FaultProxy[]
  /** All there ever were. */
  readonly daemons: Daemon[] = []
  /** Of daemons that ended though nobody asked them to, or did not end well. */
  readonly failures: string[] = []
  readonly #stage: Stage
  readonly #options: ChaosOptions
  readonly #current: Daemon[] = []
  #closed = false

  static async open(stage: Stage, options: ChaosOptions, releases: Releases): Promise<Fleet> {
    const links: FaultProxy[] = []
    for (const port of await freePorts(DAEMONS)) {
      const link = await startFaultProxy(port, stage.broker.port)
      releases.push(() => link.close())
      links.push(link)
    }
    const fleet = new Fleet(stage, options, links)
    releases.push(() => fleet.close())
    for (let slot = 0; slot < DAEMONS; slot += 1) await fleet.replace(slot)
    return fleet
  }

  private constructor(stage: Stage, options: ChaosOptions, links: readonly FaultProxy[]) {
    this.#stage = stage
    this.#options = options
    this.links = links
  }

  /** The one in that slot now. */
  at(slot: number): Daemon {
    return this.#current[slot] as Daemon
  }

  current(): readonly Daemon[] {
    return this.#current
  }

  /** Puts a new daemon into the slot; the one before has ended, or will. */
  async replace(slot: number): Promise<Daemon> {
    const generation = this.daemons.filter(({ id }) => id.startsWith(`D-${slot + 1}-`)).length + 1
    const id = `D-${slot + 1}-${generation}`
    const process = await spawnBridge(['run', ...this.#arguments(slot, id)])
    const daemon: Daemon = { id, process, dismissed: false }
    if (this.#closed) await process.kill() // it was just starting
    this.daemons.push(daemon)
    this.#current[slot] = daemon
    void process.exited.then((exit) => this.#ended(slot, daemon, exit))
    return daemon
  }

  /** Every line of every daemon so far. */
  log(): LogLine[] {
    return this.daemons.flatMap(({ process }) => process.log)
  }

  /** What each said last, for the one who has to find out why nothing goes on. */
  lastWords(): string {
    const words = this.#current.map(({ id, process: { exit, log } }) => {
      const state = exit === undefined ? 'running' : `ended with ${exit.code ?? exit.signal}`
      return `${id} (${state}): ${JSON.stringify(log.at(-1)) ?? 'no word'}`
    })
    return [...this.failures, ...words].join('; ')
  }

  /** Kills them all. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.daemons.map(({ process }) => process.kill()))
  }

  async #ended(slot: number, daemon: Daemon, exit: Exit): Promise<void> {
    if (daemon.dismissed || this.#closed) return
    const words = daemon.process.log.slice(-3).map(({ message }) => message)
    this.failures.push(`${daemon.id} ended by itself (${exit.code ?? exit.signal}): ${words.join(' | ')}`)
    await sleep(RESTART_DELAY)
    if (!this.#closed && this.failures.length < MOST_FAILURES) await this.replace(slot)
  }

  #arguments(slot: number, id: string): string[] {
    const { mode, queueType, messagesPerRequest } = this.#options
    const many = messagesPerRequest > 1
    const url = `amqp://${DAEMON_USER}:${DAEMON_USER}@127.0.0.1:${this.links[slot]?.port}?heartbeat=${HEARTBEATS[slot]}`
    const where = ['--url', url, '--queue', QUEUE, '--queue-type', queueType]
    const what = ['--socket', this.#stage.pool.socket, '--script', this.#stage.script]
    const how = ['--ack', mode, '--timeout', '20s']
    const hands = ['--concurrency', String(many ? REQUESTS : CONCURRENCY), '--prefetch', String(PREFETCH)]
    const carried = many ? ['--messages-per-request', String(messagesPerRequest)] : []
    const more = mode === 'completed' ? COMPLETED : []
    return [...where, ...what, ...how, ...hands, ...carried, ...more, '--daemon-id', id, ...LOG]
  }
}

/** Of many messages, so that some are on their way behind the one that is executed. */
const REQUESTS = 3

/** What was held is told to those who debug. */
const LOG = ['--log-level', 'debug', '--log-format', 'json']

/** Short delays, so that what fails is through with its attempts while somebody waits. */
const COMPLETED = ['--retry-delay', '1s', '--retry-max-delay', '4s', '--require-marker']

/** When the log line was written, in milliseconds since the epoch. */
export const timeOf = (line: LogLine): number => Date.parse(String(line['time']))
