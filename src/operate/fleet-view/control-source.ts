import { BrokerError } from '../../amqp/broker-error.ts'
import type { BrokerList } from '../../amqp/broker-list.ts'
import { Connections } from '../../amqp/connections.ts'
import { FleetClient } from '../../amqp/fleet-client.ts'
import type { QueueCounts } from '../../amqp/topology.ts'
import type { DaemonReport } from '../../control/protocol.ts'
import { readReport } from '../../control/read-report.ts'
import { pauseQueue, resumeQueue } from '../queue-pause.ts'
import { processOf } from './sight.ts'
import { type FleetAction, type FleetLook, type FleetSource, FleetUnseen } from './source.ts'

/** Milliseconds for which answers are gathered. Who needs longer is there again with the next look. */
const GATHERING = 200
/** So many looks end when all have answered that did before; the next one waits for others. */
const SHORT_LOOKS = 2
/** Queues that the broker is asked about in one look, in turn: each takes a channel. */
const QUEUES_PER_LOOK = 10

/** The fleet by way of the broker: daemons that run with --control, and their queues. It connects when it is asked. */
export class ControlSource implements FleetSource {
  readonly name: string
  readonly #brokers: BrokerList
  readonly #queue: string | undefined
  readonly #counts = new Map<string, QueueCounts>()
  #fleet: FleetClient | undefined
  #turn = 0
  /** Processes that have answered before. */
  #known: readonly string[] = []
  #shortLooks = 0

  /** @param queue the only one to be seen; undefined: all */
  constructor(brokers: BrokerList, name: string, queue: string | undefined) {
    this.#brokers = brokers
    this.name = name
    this.#queue = queue
  }

  look(): Promise<FleetLook> {
    return this.#ask(async (fleet) => {
      const command = { detail: true, ...(this.#queue !== undefined && { queue: this.#queue }) }
      const answers = await fleet.ask('ping', command, { within: GATHERING, enough: this.#enough() })
      this.#known = answers.map(processOf)
      const daemons = answers.filter(({ bridges }) => bridges.length > 0)
      await this.#count(fleet, daemons)
      return { daemons, queues: this.#counts }
    })
  }

  act(action: FleetAction, queue: string): Promise<string> {
    return this.#ask(async (fleet) => {
      if (action === 'resume') {
        const { wasPaused, reports } = await resumeQueue(fleet, { queue })
        return `${queue} ${wasPaused ? 'is resumed' : 'was not paused'}: ${took(reports)}`
      }
      const paused = await pauseQueue(fleet, queue, { reason: 'fpm-bridge top' })
      return paused === undefined
        ? `there is no queue ${queue}`
        : `${queue} is paused: ${took(paused.reports)}`
    })
  }

  async close(): Promise<void> {
    const fleet = this.#fleet
    this.#fleet = undefined
    await fleet?.close()
  }

  /** What fails may have ended the connection: the next one has another. */
  async #ask<T>(ask: (fleet: FleetClient) => Promise<T>): Promise<T> {
    try {
      this.#fleet ??= await FleetClient.connect(this.#brokers, new Connections('fpm-bridge top'), readReport)
      return await ask(this.#fleet)
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      await this.close().catch(() => {})
      throw new FleetUnseen(error.message, { permanent: error.permanent, cause: error })
    }
  }

  /** Gathering to the end takes time of ours, and of the machine that we look at. */
  #enough(): (answers: readonly DaemonReport[]) => boolean {
    const known = this.#known
    this.#shortLooks = known.length > 0 && this.#shortLooks < SHORT_LOOKS ? this.#shortLooks + 1 : 0
    if (this.#shortLooks === 0) return () => false
    return (answers) => {
      const names = new Set(answers.map(processOf))
      return known.every((name) => names.has(name))
    }
  }

  async #count(fleet: FleetClient, daemons: readonly DaemonReport[]): Promise<void> {
    const queues = [...new Set(daemons.flatMap(({ bridges }) => bridges.map(({ queue }) => queue)))]
    for (const queue of this.#counts.keys()) if (!queues.includes(queue)) this.#counts.delete(queue)
    const asked = queues.length <= QUEUES_PER_LOOK ? queues : this.#inTurn(queues)
    for (const queue of asked) {
      const counts = await fleet.countsOf(queue)
      if (counts === undefined) this.#counts.delete(queue)
      else this.#counts.set(queue, counts)
    }
  }

  #inTurn(queues: readonly string[]): readonly string[] {
    const start = this.#turn % queues.length
    this.#turn = start + QUEUES_PER_LOOK
    return [...queues, ...queues].slice(start, start + QUEUES_PER_LOOK)
  }
}

function took(reports: readonly DaemonReport[]): string {
  const failed = reports.find(({ error }) => error !== undefined)
  if (failed !== undefined) return `${failed.daemon_id}: ${failed.error}`
  return `${reports.length} ${reports.length === 1 ? 'daemon' : 'daemons'} took notice`
}
