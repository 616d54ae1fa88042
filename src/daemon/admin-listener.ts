import type { Server } from 'node:http'
import { listen } from '../admin/listen.ts'
import { type Page, shared } from '../admin/page.ts'
import { createAdminServer } from '../admin/server.ts'
import type { AdminConfig } from '../config/admin.ts'
import { OptionError } from '../config/option-error.ts'
import { formatPoolAddress, type PoolAddress } from '../fastcgi/address.ts'

/** What the system's names mean for the one who has to mend it. */
const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there, or a file is in its place',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'permission denied',
  ENOENT: 'there is no such folder',
  ENOTFOUND: 'the host name is unknown',
}

/** The web server at --admin. */
export class AdminListener {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  /**
   * @param pages by path
   * @throws {OptionError} when it cannot listen there
   */
  static async open(
    { address, token, anyHost }: AdminConfig,
    pages: readonly (readonly [path: string, page: Page])[],
  ): Promise<AdminListener> {
    const server = createAdminServer({
      pages: new Map(pages.map(([path, page]) => [path, shared(page)])),
      token,
      host: anyHost || address.kind === 'unix' ? undefined : address.host,
    })
    try {
      await listen(server, address)
    } catch (error) {
      throw refusal(address, error as NodeJS.ErrnoException)
    }
    return new AdminListener(server)
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
