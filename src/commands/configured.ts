import type { GivenOptions } from '../config/reader.ts'
import type { RunConfig } from '../config/run-config.ts'

/** The options of `run` as they were at the start, and what they mean. */
export interface Configured {
  readonly given: GivenOptions
  readonly config: RunConfig
}
