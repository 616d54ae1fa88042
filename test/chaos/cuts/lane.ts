import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ConfirmChannel, connect } from 'amqplib'
import type { AckMode } from '../../../src/bridge/ports.ts'
import { type BridgeProcess, type LogLine, spawnBridge } from '../../support/bridge-process.ts'
import type { Broker } from '../../support/broker-api.ts'
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts'
import { type Pool, startPool } from '../../support/pool.ts'
import { freePorts } from '../../support/ports.ts'
import { temporaryFolder } from '../../support/run-folder.ts'
import { startTappedLink, type Tap, type TappedLink } from '../../support/tapped-link.ts'
import { Journal } from '../journal.ts'
import { type Asked, bodyOf } from '../message-plan.ts'
import type { Releases } from '../stage.ts'

/** As many as the pool has children: each kept connection has its own. */
export const SLOTS = 4

/** What the names of all its queues begin with. */
export const QUEUE_PREFIX = 'cuts-'

export interface LaneOptions {
  readonly broker: Broker
  readonly mode: AckMode
  readonly listen: 'unix' | 'tcp'
}

/** A queue, a pool, and one daemon between them on a link that can be tapped. */
export class Lane {
  readonly mode: AckMode
  readonly queue: string
  readonly pool: Pool
  readonly journal: Journal
  /** Sees what passes between daemon and broker. */
  tap: Tap = () => undefined
  readonly #daemons: BridgeProcess[] = []
  readonly #channel: ConfirmChannel
  readonly #script: string
  #link: TappedLink | undefined
  #poolLink: FaultProxy | undefined

  static async open({ broker, mode, listen }: LaneOptions, releases: Releases): Promise<Lane> {
    const folder = temporaryFolder('cuts')
    const script = join(folder, 'worker.php')
    copyFileSync(fileURLToPath(new URL('../php/worker.php', import.meta.url)), script)
    const path = join(folder, 'journal')
    const journal = new Journal(path)
    releases.push(() => journal.close())
    const environment = { CHAOS_JOURNAL: path }
    const global = { process_control_timeout: '10s' }
    const pool = await startPool({ children: SLOTS, listen, environment, global })
    releases.push(() => pool.close())
    const connection = await connect(broker.url)
    releases.push(() => connection.close())
    const channel = await connection.createConfirmChannel()
    const lane = new Lane(mode, `${QUEUE_PREFIX}${mode}-${listen}`, pool, journal, script, channel)
    releases.push(() => lane.#close())
    await channel.assertQueue(lane.queue, { durable: true })
    await channel.assertQueue(`${lane.queue}.dead`, { durable: true })
    const [port, poolPort] = (await freePorts(2)) as [number, number]
    lane.#link = await startTappedLink(port, broker.port, (passing) => lane.tap(passing))
    if (listen === 'tcp') {
      lane.#poolLink = await startFaultProxy(poolPort, Number(pool.socket.split(':')[1]))
    }
    await lane.startDaemon()
    return lane
  }

  private constructor(
    mode: AckMode,
    queue: string,
    pool: Pool,
    journal: Journal,
    script: string,
    channel: ConfirmChannel,
  ) {
    this.mode = mode
    this.queue = queue
    this.pool = pool
    this.journal = journal
    this.#script = script
    this.#channel = channel
  }

  get daemon(): BridgeProcess {
    return this.#daemons.at(-1) as BridgeProcess
  }

  /** Resolves when it consumes. The one before has been killed. */
  async startDaemon(): Promise<void> {
    const url = `amqp://guest:guest@127.0.0.1:${this.#link?.port}`
    const socket = this.#poolLink === undefined ? this.pool.socket : `127.0.0.1:${this.#poolLink.port}`
    const where = ['--url', url, '--queue', this.queue, '--socket', socket, '--script', this.#script]
    const how = ['--ack', this.mode, '--concurrency', String(SLOTS), '--prefetch', String(SLOTS + 2)]
    // Soon again, so that a round is soon over; and again, for the next rounds strike what is left of this one.
    const retries = this.mode === 'completed' ? ['--retry-delay', '200ms', '--max-attempts', '100'] : []
    const id = ['--daemon-id', `${this.queue}-${this.#daemons.length + 1}`, '--log-format', 'json']
    const daemon = await spawnBridge(['run', ...where, ...how, ...retries, ...id])
    this.#daemons.push(daemon)
    await daemon.waitForLine('Consuming.')
  }

  resetLink(): void {
    this.#link?.reset()
  }

  /** Of a TCP pool. */
  resetPoolLink(): void {
    this.#poolLink?.reset()
  }

  /** Resolves when the broker has confirmed it. */
  publish(messageId: string, asked: Asked): Promise<void> {
    const properties = { persistent: true, messageId, contentType: 'application/json' }
    return new Promise((resolve, reject) => {
      this.#channel.sendToQueue(this.queue, bodyOf(messageId, asked), properties, (error) =>
        error === null || error === undefined ? resolve() : reject(error),
      )
    })
  }

  /** How many messages rest in its dead-letter queue. */
  async deadLettered(): Promise<number> {
    return (await this.#channel.checkQueue(`${this.queue}.dead`)).messageCount
  }

  /** Every line of every daemon so far. */
  log(): LogLine[] {
    return this.#daemons.flatMap(({ log }) => log)
  }

  async #close(): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.kill()))
    this.#link?.close()
    await this.#poolLink?.close()
  }
}
