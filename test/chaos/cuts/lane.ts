import type { AckMode } from '../../../src/bridge/ports.ts'
import type { Broker } from '../../support/broker-api.ts'
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts'
import { freePorts } from '../../support/ports.ts'
import type { Releases } from '../../support/releases.ts'
import { startTappedLink, type Tap, type TappedLink } from '../../support/tapped-link.ts'
import { Stand } from '../stand.ts'

/** As many as the pool has children: each kept connection has its own. */
export const SLOTS = 4

/** Milliseconds: short, so that a round is soon over. */
export const RETRY_DELAY = 200

/** What was held is told to those who debug. */
const LOG = ['--log-level', 'debug']

/** What the names of all its queues begin with. */
export const QUEUE_PREFIX = 'cuts-'

export interface LaneOptions {
  readonly broker: Broker
  readonly mode: AckMode
  readonly listen: 'unix' | 'tcp'
}

/** A stand on which the link to the broker is tapped, and the one to a TCP pool can be cut. */
export class Lane {
  readonly stand: Stand
  /** Sees what passes between daemon and broker. */
  tap: Tap = () => undefined
  #link: TappedLink | undefined
  #poolLink: FaultProxy | undefined

  static async open({ broker, mode, listen }: LaneOptions, releases: Releases): Promise<Lane> {
    const queue = `${QUEUE_PREFIX}${mode}-${listen}`
    const stand = await Stand.open({ broker, mode, queue, pool: { children: SLOTS, listen } }, releases)
    const lane = new Lane(stand)
    releases.push(() => lane.#close())
    const [port, poolPort] = (await freePorts(2)) as [number, number]
    lane.#link = await startTappedLink(port, broker.port, (passing) => lane.tap(passing))
    if (listen === 'tcp') {
      lane.#poolLink = await startFaultProxy(poolPort, Number(stand.pool.socket.split(':')[1]))
    }
    await lane.startDaemon()
    return lane
  }

  private constructor(stand: Stand) {
    this.stand = stand
  }

  /** Resolves when it consumes. The one before has been killed. */
  startDaemon(): Promise<void> {
    const url = `amqp://guest:guest@127.0.0.1:${this.#link?.port}`
    const socket = this.#poolLink && `127.0.0.1:${this.#poolLink.port}`
    const hands = ['--concurrency', String(SLOTS), '--prefetch', String(SLOTS + 2)]
    // Soon again, so that a round is soon over; and again, for the next rounds strike what is left of this one.
    const retries = this.stand.mode === 'completed' ? ['--retry-delay', '200ms', '--max-attempts', '100'] : []
    return this.stand.startDaemon({ url, ...(socket && { socket }), args: [...hands, ...retries, ...LOG] })
  }

  resetLink(): void {
    this.#link?.reset()
  }

  /** Of a TCP pool. */
  resetPoolLink(): void {
    this.#poolLink?.reset()
  }

  async #close(): Promise<void> {
    this.#link?.close()
    await this.#poolLink?.close()
  }
}
