import type { Connection } from './connection.ts'

/** After so much use a kept connection is let go. */
const MAX_USE = { milliseconds: 1_000, requests: 200 } as const
/** Milliseconds between two looks at what is kept: so much longer may an idle connection hold its child. */
const REAP_INTERVAL = 50

export interface KeptConnectionsOptions {
  /** Whether any connection is kept at all. */
  readonly keepAlive: boolean
  /** Whether a child is wanted by a request that has none: then no connection may hold one. */
  readonly childWanted: () => boolean
  /** Told of each connection that is let go: its child is free. */
  readonly onLetGo: () => void
}

/**
 * Connections between two requests. A kept connection holds a child of the pool, so it is let go after 1 s or 200
 * requests, and as soon as somebody else of ours waits for a child: others get their turn.
 */
export class KeptConnections {
  readonly #options: KeptConnectionsOptions
  /** The hottest last. */
  readonly #idle: Connection[] = []
  #reaper: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: KeptConnectionsOptions) {
    this.#options = options
  }

  /** A connection for the next request, if there is one. */
  take(): Connection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.usable && !isWorn(connection)) return connection
      this.#letGo(connection)
    }
    return undefined
  }

  /** Takes a connection back, whose request has been answered: keeps it, or lets it go. */
  release(connection: Connection): void {
    const keep = this.#options.keepAlive && !this.#closed && connection.usable && !isWorn(connection)
    if (!keep || this.#options.childWanted()) {
      this.#letGo(connection)
      return
    }
    this.#idle.push(connection)
    this.#reaper ??= setTimeout(() => this.#reap(), REAP_INTERVAL).unref()
  }

  /** Lets all go, and from now on whatever is released. Idempotent. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#reaper)
    for (const connection of this.#idle.splice(0)) connection.destroy()
  }

  #letGo(connection: Connection): void {
    connection.destroy()
    this.#options.onLetGo()
  }

  #reap(): void {
    this.#reaper = undefined
    for (const connection of this.#idle.splice(0)) this.release(connection)
  }
}

function isWorn(connection: Connection): boolean {
  return (
    connection.requests >= MAX_USE.requests || performance.now() - connection.openedAt >= MAX_USE.milliseconds
  )
}
