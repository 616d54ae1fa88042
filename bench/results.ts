import type { BodyRate } from './bodies.ts'
import type { Utilisation } from './children.ts'
import type { FormRate } from './form.ts'
import type { Latency } from './latency.ts'
import type { Many } from './many.ts'
import type { Memory } from './memory.ts'
import type { StartTime } from './start-time.ts'
import type { ThroughputResult } from './throughput.ts'

/** What each section found; undefined where it did not run. */
export interface Results {
  startTime?: StartTime
  throughput?: ThroughputResult
  /** Both ways to ack, and those of another version, side by side. */
  modes?: ThroughputResult
  /** Many messages in a request. */
  many?: Many
  /** Applications of frameworks, beside the frameworks' own consumers. */
  frameworks?: ThroughputResult
  latency?: readonly Latency[]
  utilisation?: readonly Utilisation[]
  memory?: Memory
  bodies?: readonly BodyRate[]
  form?: readonly FormRate[]
}
