import { livez } from '../admin/livez.ts'
import { metrics } from '../admin/metrics.ts'
import { readyz } from '../admin/readyz.ts'
import { status } from '../admin/status.ts'
import type { Tell } from '../bridge/events.ts'
import type { AdminConfig } from '../config/admin.ts'
import { Failures } from '../observe/failures.ts'
import { Metrics } from '../observe/metrics.ts'
import type { ProcessView } from '../observe/views.ts'
import { AdminListener } from './admin-listener.ts'

/** What looks at a process, and the web server that shows it. It is loaded only where somebody wants it. */
export class Admin {
  readonly #metrics: Metrics
  readonly #failures: Failures
  readonly #listener: AdminListener

  private constructor(counts: Metrics, failures: Failures, listener: AdminListener) {
    this.#metrics = counts
    this.#failures = failures
    this.#listener = listener
  }

  /** @throws {OptionError} when it cannot listen there */
  static async open(config: AdminConfig, view: ProcessView): Promise<Admin> {
    const counts = new Metrics(view)
    const failures = new Failures()
    const listener = await AdminListener.open(config, [
      ['/livez', livez()],
      ['/readyz', readyz(view)],
      ['/status', status(view, failures)],
      ['/metrics', metrics(counts)],
    ])
    return new Admin(counts, failures, listener)
  }

  /** @returns what the bridge of that queue is to tell */
  subscriber(queue: string): Tell {
    const count = this.#metrics.subscriber(queue)
    const keep = this.#failures.subscriber(queue)
    return (event) => {
      count(event)
      keep(event)
    }
  }

  async close(): Promise<void> {
    this.#listener.close()
  }
}
