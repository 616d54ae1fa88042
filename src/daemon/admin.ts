import type { Server } from 'node:http'
import { listen } from '../admin/listen.ts'
import { livez } from '../admin/livez.ts'
import { metrics } from '../admin/metrics.ts'
import { type Page, shared } from '../admin/page.ts'
import { readyz } from '../admin/readyz.ts'
import { createAdminServer } from '../admin/server.ts'
import { status } from '../admin/status.ts'
import type { Tell } from '../bridge/events.ts'
import type { AdminConfig } from '../config/admin.ts'
import { OptionError } from '../config/option-error.ts'
import { formatPoolAddress, type PoolAddress } from '../fastcgi/address.ts'
import { Failures } from '../observe/failures.ts'
import { Metrics } from '../observe/metrics.ts'
import type { ProcessView } from '../observe/views.ts'

/** What the system's names mean for the one who has to mend it. */
const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there, or a file is in its place',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'permission denied',
  ENOENT: 'there is no such folder',
  ENOTFOUND: 'the host name is unknown',
}

/** What looks at a process, and the web server that shows it. It is loaded only where somebody wants it. */
export class Admin {
  readonly #metrics: Metrics
  readonly #failures = new Failures()
  readonly #server: Server

  private constructor(config: AdminConfig, view: ProcessView) {
    this.#metrics = new Metrics(view)
    const pages: readonly [string, Page][] = [
      ['/livez', livez()],
      ['/readyz', readyz(view)],
      ['/status', status(view, this.#failures)],
      ['/metrics', metrics(this.#metrics)],
    ]
    const { token } = config
    this.#server = createAdminServer({
      pages: new Map(pages.map(([path, page]) => [path, shared(page)])),
      token,
    })
  }

  /** @throws {OptionError} when it cannot listen there */
  static async open(config: AdminConfig, view: ProcessView): Promise<Admin> {
    const admin = new Admin(config, view)
    try {
      await listen(admin.#server, config.address)
    } catch (error) {
      throw refusal(config.address, error as NodeJS.ErrnoException)
    }
    return admin
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

  /** Whoever is still being answered is cut off. */
  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

function refusal(address: PoolAddress, { code, message }: NodeJS.ErrnoException): OptionError {
  const remedy = REMEDIES[code ?? '']
  const reason = remedy === undefined ? message : `${code}: ${remedy}`
  return new OptionError(`--admin cannot listen at ${formatPoolAddress(address)}: ${reason}`, 78)
}
