import type { Connection } from './connection.ts'
import type { ReuseTrust } from './reuse-trust.ts'

/** After so much use a kept connection is let go. */
const MAX_USE = { milliseconds: 1_000, requests: 200 } as const
/** Milliseconds between two looks at what is kept: so much longer may an idle connection hold its child. */
const REAP_INTERVAL = 50
/** Milliseconds between the end of our side of a connection and that of the pool's that are no sign of a child that goes on. */
const PROMPT = 200

export interface IdleConnectionsOptions {
  /** Whether any connection is kept at all. */
  readonly keepAlive: boolean
  readonly trust: ReuseTrust
  /** Whether a child is wanted by a request that has none: then no connection may hold one. */
  readonly childWanted: () => boolean
  /** Told of each connection that is let go: its child is free. */
  readonly onLetGo: () => void
}

/**
 * Connections between two requests. A kept connection holds a child of the pool, so it is let go after 1 s or 200
 * requests, and as soon as somebody else of ours waits for a child: others get their turn.
 */
export class IdleConnections {
  readonly #options: IdleConnectionsOptions
  /** The hottest last. */
  readonly #idle: Connection[] = []
  /** Answered, ended by us, and about to be closed by the pool. */
  readonly #ending = new Set<Connection>()
  #reaper: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: IdleConnectionsOptions) {
    this.#options = options
  }

  /** A connection for the next request, if there is one. */
  take(): Connection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.usable && !isWorn(connection)) return connection
      this.#evict(connection)
    }
    return undefined
  }

  /** Takes a connection back, whose request has been answered: keeps it, or lets it go. */
  release(connection: Connection): void {
    const { keepAlive, trust, childWanted } = this.#options
    if (!keepAlive || this.#closed || !connection.usable) this.#evict(connection)
    else if (!trust.given || isWorn(connection)) this.#awaitEnd(connection)
    else if (childWanted()) this.#evict(connection)
    else {
      this.#idle.push(connection)
      this.#reaper ??= setTimeout(() => this.#reap(), REAP_INTERVAL).unref()
    }
  }

  /** Lets all go, and from now on whatever is released. Idempotent. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#reaper)
    for (const connection of this.#idle.splice(0)) connection.destroy()
    for (const connection of this.#ending) connection.destroy()
  }

  /** A child that waits for the next request closes when it finds the end of our side instead. */
  #awaitEnd(connection: Connection): void {
    const done = (): void => {
      clearTimeout(timer)
      connection.onClosed = undefined
      this.#ending.delete(connection)
      if (!connection.closed) this.#distrust()
      else if (!connection.wentOn) this.#options.trust.confirm()
      this.#evict(connection)
    }
    const timer = setTimeout(done, PROMPT)
    this.#ending.add(connection)
    connection.onClosed = done
    connection.endOurSide()
  }

  #evict(connection: Connection): void {
    connection.destroy()
    this.#options.onLetGo()
    if (connection.wentOn) this.#distrust()
  }

  /** A child went on after its answer: until others have not, each request gets a connection of its own. */
  #distrust(): void {
    this.#options.trust.breach()
    for (const connection of this.#idle.splice(0)) this.#evict(connection)
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
