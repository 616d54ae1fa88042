import type { FastCgiClient, FastCgiError } from '../../fastcgi/types.ts'
import type { Backlog } from '../backlog.ts'
import { pause } from '../backoff.ts'
import type { Execution } from '../execution.ts'
import type { Intake } from '../ports.ts'
import type { Obstacle } from './hold.ts'
import type { Pause } from './pause.ts'
import type { Slots } from './slots.ts'

/** Milliseconds after its dispatch when a delivery that probes counts as executing: what php-fpm will not run it refuses at once. */
const PROBE_PATIENCE = 1_000

/** Resolves with what kept it from being executed, if anything did. */
type Run = (execution: Execution) => Promise<Obstacle | undefined>

/** Finds out whether messages can be executed: by a bare connect, or by having one executed. */
export class HoldProbe {
  readonly #client: FastCgiClient
  readonly #intake: Intake
  readonly #slots: Slots
  readonly #pause: Pick<Pause, 'active'>
  readonly #backlog: Backlog
  readonly #run: Run

  constructor(
    client: FastCgiClient,
    intake: Intake,
    slots: Slots,
    pause: Pick<Pause, 'active'>,
    backlog: Backlog,
    run: Run,
  ) {
    this.#client = client
    this.#intake = intake
    this.#slots = slots
    this.#pause = pause
    this.#backlog = backlog
    this.#run = run
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

  /** @returns what is still in the way */
  async probe(obstacle: Obstacle): Promise<Obstacle | undefined> {
    if (obstacle.probe === 'connect') return this.connect()
    if (!this.#slots.hasFree) return obstacle
    // To probe with a delivery is to execute it.
    if (this.#pause.active) return (await this.connect()) ?? obstacle
    const execution = this.#backlog.next()
    if (execution === undefined) return (await this.connect()) ?? this.#takeMore(obstacle)
    const patience = new AbortController()
    // Where it goes to a script that is still to say hello, that may take longer.
    const sent = new Promise<void>((resolve) => {
      execution.onSent = resolve
    })
    const running = sent.then(() => pause(PROBE_PATIENCE, patience.signal))
    execution.running = running
    const found = await Promise.race([this.#run(execution), running.then(() => undefined)])
    patience.abort()
    return found
  }

  /** Nothing waits that could probe; perhaps it has gone back to the broker. */
  #takeMore(obstacle: Obstacle): Obstacle {
    this.#intake.resume()
    return obstacle
  }
}
