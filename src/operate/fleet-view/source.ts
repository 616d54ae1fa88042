import type { QueueCounts } from '../../amqp/topology.ts'
import type { DaemonReport } from '../../control/protocol.ts'

/** What a look at a fleet has found. */
export interface FleetLook {
  readonly daemons: readonly DaemonReport[]
  /** Of queues that have been looked at, as the broker counts; not all of them need be. */
  readonly queues: ReadonlyMap<string, QueueCounts>
}

/** What can be told to a queue's daemons. */
export type FleetAction = 'pause' | 'resume'

/** Why there is nothing to be seen. */
export class FleetUnseen extends Error {
  override readonly name = 'FleetUnseen'
  /** Whether another look is of no use until somebody has mended what is wrong. */
  readonly permanent: boolean

  constructor(message: string, options: ErrorOptions & { readonly permanent: boolean }) {
    super(message, options)
    this.permanent = options.permanent
  }
}

/** Where a fleet is seen from. One call at a time. */
export interface FleetSource {
  /** For people. */
  readonly name: string
  /** @throws {FleetUnseen} after which the next one tries anew */
  look(): Promise<FleetLook>
  /**
   * Undefined where a fleet can only be looked at.
   *
   * @returns what has come of it, in a sentence
   * @throws {FleetUnseen}
   */
  act?(action: FleetAction, queue: string): Promise<string>
  close(): Promise<void>
}
