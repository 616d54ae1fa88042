import type { FastCgiClient, FastCgiError } from '../fastcgi/types.ts'
import { pause } from './backoff.ts'
import type { Obstacle } from './hold.ts'
import type { Delivery, Intake } from './ports.ts'

/** Milliseconds after which a delivery that probes counts as executing: what php-fpm will not run it refuses at once. */
const PROBE_PATIENCE = 1_000

/** What a probe needs of the dispatcher. */
export interface Probing {
  /** Whether there is a slot for a delivery that probes. */
  readonly hasSlot: () => boolean
  readonly next: () => Delivery | undefined
  /** Resolves with what kept the delivery from being executed, if anything did; it is acked no earlier than `running`. */
  readonly run: (delivery: Delivery, running: Promise<unknown>) => Promise<Obstacle | undefined>
}

/** Finds out whether messages can be executed: by a bare connect, or by having one executed. */
export class HoldProbe {
  readonly #client: FastCgiClient
  readonly #intake: Intake
  readonly #probing: Probing

  constructor(client: FastCgiClient, intake: Intake, probing: Probing) {
    this.#client = client
    this.#intake = intake
    this.#probing = probing
  }

  /** @returns what is in the way of a connection */
  async connect(): Promise<Obstacle | undefined> {
    try {
      await this.#client.probe()
      return undefined
    } catch (error) {
      return { reason: (error as FastCgiError).message, probe: 'connect' }
    }
  }

  /** One probe of a hold. @returns what is still in the way */
  async look(obstacle: Obstacle): Promise<Obstacle | undefined> {
    if (obstacle.probe === 'connect') return this.connect()
    const { hasSlot, next, run } = this.#probing
    if (!hasSlot()) return obstacle
    const delivery = next()
    if (delivery === undefined) return (await this.connect()) ?? this.#takeMore(obstacle)
    const patience = new AbortController()
    const running = pause(PROBE_PATIENCE, patience.signal)
    const found = await Promise.race([run(delivery, running), running.then(() => undefined)])
    patience.abort()
    return found
  }

  /** Nothing waits that could probe; perhaps it has gone back to the broker. */
  #takeMore(obstacle: Obstacle): Obstacle {
    this.#intake.resume()
    return obstacle
  }
}
