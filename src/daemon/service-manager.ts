import type { Log } from '../observe/logger.ts'
import type { ServiceStatus } from '../observe/service-status.ts'

/** What a service manager is to know of a process all the time. */
export interface Watched {
  readonly log: Log
  status(): ServiceStatus
}

/** Who has started the process, and is told how it does. Nothing that is told waits, or fails. */
export interface ServiceManager {
  /** The configuration is right as far as it can be known, and work begins. Before that nothing is told. */
  begin(watched: Watched): void
  /** All consume. */
  ready(): void
  /** A reload has begun. */
  reload(done: Promise<unknown>): void
  /** The end has begun. */
  stopping(): void
  /** Resolves when all is told, or does not get through. */
  close(): Promise<void>
}

/** Nobody wants to be told. */
export const NO_SERVICE_MANAGER: ServiceManager = {
  begin() {},
  ready() {},
  reload() {},
  stopping() {},
  async close() {},
}
