import type { Connections } from '../amqp/connections.ts'
import type { QueueAges } from '../amqp/queue-ages.ts'
import type { Tell } from '../bridge/events.ts'
import type { ControlDesk } from '../bridge/ports.ts'
import type { ProcessConfig } from '../config/process-config.ts'
import type { Failures } from '../observe/failures.ts'
import type { Drains } from './drains.ts'

/** Of all bridges of a process. A broker in alarm stops reading from those that publish: acks go by the others. */
export interface ProcessConnections {
  readonly consuming: Connections
  readonly publishing: Connections
}

/** What the bridges of one process have in common. */
export interface Surroundings {
  readonly process: ProcessConfig
  readonly ages: QueueAges
  readonly connections: ProcessConnections
  readonly version: string
  /** Of a queue: what else hears its bridge's events, if anybody looks. */
  readonly subscriber: (queue: string) => Tell | undefined
  /** Hears what all bridges tell. */
  readonly watch: Tell
  /** What operators tell the process, if they can. */
  readonly control: (ControlDesk & { readonly drains: Drains; readonly failures: Failures }) | undefined
}
