import type { BridgeConfig } from '../config/bridge-config.ts'
import { formatPoolAddress, type PoolAddress } from '../fastcgi/address.ts'
import { type FullPoolStatus, readFullPoolStatus } from '../fastcgi/pool-status.ts'
import { isBacklogFull, probePool } from '../fastcgi/socket.ts'
import type { PoolReading, PoolView } from '../observe/views.ts'

/** Milliseconds for which an answer is good. */
const FRESH = 1_000
/** Milliseconds: a child serves the page, and all may be busy. */
const TIMEOUT = 1_000
/** Milliseconds until a pool without a status page is asked again: it logs each time that it has none. */
const NO_PAGE_PAUSE = 60_000

/** Looks at a pool when somebody asks, however many do. */
export class PoolWatch implements PoolView {
  readonly pool: string
  readonly scrapeUri: string
  readonly #address: PoolAddress
  readonly #statusPath: string
  readonly #connect = new Cached(() => this.#probe())
  readonly #page = new Cached(() => this.#ask())
  #failures = 0
  #name: string | undefined
  /** By `performance.now()`. */
  #nextAsk = Number.NEGATIVE_INFINITY

  constructor({ pool, statusPath }: Pick<BridgeConfig, 'pool' | 'statusPath'>) {
    this.#address = pool
    this.#statusPath = statusPath
    this.pool = formatPoolAddress(pool)
    this.scrapeUri =
      pool.kind === 'unix' ? `unix://${this.pool};${statusPath}` : `tcp://${this.pool}${statusPath}`
  }

  obstacle(): Promise<string | undefined> {
    return this.#connect.get()
  }

  read(): Promise<PoolReading> {
    return this.#page.get()
  }

  /** A pool with a full backlog is there, and busy. */
  async #probe(): Promise<string | undefined> {
    try {
      await probePool(this.#address, TIMEOUT)
      return undefined
    } catch (error) {
      return isBacklogFull(error) ? undefined : (error as Error).message
    }
  }

  async #ask(): Promise<PoolReading> {
    if (performance.now() < this.#nextAsk) return { kind: 'unknown' }
    try {
      return this.#readingOf(await readFullPoolStatus(this.#address, this.#statusPath, TIMEOUT))
    } catch (error) {
      this.#failures += 1
      const reason = (error as Error).message
      return { kind: 'down', reason, name: this.#name, failures: this.#failures }
    }
  }

  #readingOf(status: FullPoolStatus | undefined): PoolReading {
    if (status === undefined) {
      this.#nextAsk = performance.now() + NO_PAGE_PAUSE
      return { kind: 'unknown' }
    }
    this.#name = status.pool
    return { kind: 'up', status, failures: this.#failures }
  }
}

/** The pools of these bridges, each once; those that were there before go on. */
export class PoolWatches {
  #watches: readonly PoolWatch[] = []
  #of: readonly BridgeConfig[] = []

  of(bridges: readonly BridgeConfig[]): readonly PoolWatch[] {
    if (bridges === this.#of) return this.#watches
    const before = new Map(this.#watches.map((watch) => [watch.scrapeUri, watch]))
    const now = bridges.map((bridge) => new PoolWatch(bridge))
    const each = new Map(now.map((watch) => [watch.scrapeUri, before.get(watch.scrapeUri) ?? watch]))
    this.#watches = [...each.values()]
    this.#of = bridges
    return this.#watches
  }
}

/** A value that is found out when somebody wants it, and kept for a second. */
class Cached<T> {
  readonly #find: () => Promise<T>
  #value: Promise<T> | undefined
  #until = 0

  constructor(find: () => Promise<T>) {
    this.#find = find
  }

  get(): Promise<T> {
    if (this.#value !== undefined && performance.now() < this.#until) return this.#value
    this.#until = Number.POSITIVE_INFINITY
    this.#value = this.#find().finally(() => {
      this.#until = performance.now() + FRESH
    })
    return this.#value
  }
}
