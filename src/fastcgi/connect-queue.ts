import type { Socket } from 'node:net'
import type { PoolAddress } from './address.ts'
import { connectError, isBacklogFull } from './socket.ts'
import type { FastCgiError } from './types.ts'

/** Milliseconds between connects that ask an ondemand pool for more children than it has. */
const GROWTH_PAUSE = 2
/** Milliseconds for which a child that has become free is counted on. */
const VACANCY = 1_000
/** Milliseconds between tries while the backlog is full: doubling from the first to the second. */
const BACKLOG_PAUSE = { min: 1, max: 50 } as const

/** Milliseconds until a connect that nobody answers has failed (TCP; a Unix socket answers at once). */
export const CONNECT_TIMEOUT = 5_000
/** Milliseconds of nothing but EAGAIN after which a request fails: php-fpm may have hung. */
export const BACKLOG_TIMEOUT = 30_000

export interface ConnectQueueOptions<S extends Socket = Socket> {
  readonly address: PoolAddress
  /** As connectPool. */
  readonly connect: (address: PoolAddress, timeout: number, signal: AbortSignal) => Promise<S>
  /** Milliseconds. */
  readonly connectTimeout: number
  /** Milliseconds of nothing but a full backlog, and no answer to anybody, after which a connect fails. */
  readonly backlogTimeout: number
  /** Whether growth has to be paced: the pool is ondemand, or nobody knows. */
  readonly paced: () => boolean
}

interface PendingConnect<S extends Socket> {
  readonly resolve: (socket: S) => void
  readonly reject: (error: FastCgiError) => void
  readonly signal: AbortSignal
  readonly since: number
}

/**
 * Opens connections, and waits where php-fpm wants waiting; first come, first served.
 *
 * - A full backlog (EAGAIN) is tried again.
 * - An ondemand pool forks on an edge-triggered event: of connects that come at once it sees one, and their
 *   requests queue up on one child. So connects that need another child are a pause apart. One that takes the
 *   place of a request that has just ended needs none, and no pause.
 */
export class ConnectQueue<S extends Socket = Socket> {
  readonly #options: ConnectQueueOptions<S>
  readonly #queue: PendingConnect<S>[] = []
  /** When each of the children became free that we count on. */
  readonly #vacancies: number[] = []
  #lastGrowth = Number.NEGATIVE_INFINITY
  /** When the pool last took a connection, or was done with one. */
  #lastProgress = Number.NEGATIVE_INFINITY

  constructor(options: ConnectQueueOptions<S>) {
    this.#options = options
  }

  /** @throws {FastCgiError} CONNECT_FAILED, also when the signal is aborted meanwhile */
  async open(signal: AbortSignal): Promise<S> {
    if (this.#queue.length === 0 && this.#mayGo()) {
      try {
        return await this.#connect(signal)
      } catch (error) {
        if (!isBacklogFull(error)) throw error
      }
    }
    let giveUp = (): void => {}
    const opened = new Promise<S>((resolve, reject) => {
      giveUp = () => reject(connectError(this.#options.address, 'given up while waiting'))
      this.#queue.push({ resolve, reject, signal, since: performance.now() })
    })
    signal.addEventListener('abort', giveUp)
    if (this.#queue.length === 1) void this.#serve()
    try {
      return await opened
    } finally {
      // It may be the signal of all that one client opens.
      signal.removeEventListener('abort', giveUp)
    }
  }

  /** Whether anybody waits for a connection. */
  get waiting(): boolean {
    return this.#queue.length > 0
  }

  /** A child has become free: one connect may take its place at once. */
  vacate(): void {
    this.#lastProgress = performance.now()
    // Nobody takes them where nothing is paced.
    if (this.#options.paced()) this.#vacancies.push(this.#lastProgress)
  }

  /** Serves those who wait, one after the other. */
  async #serve(): Promise<void> {
    let pause: number = BACKLOG_PAUSE.min
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      if (!head.signal.aborted) {
        if (!this.#mayGo()) {
          await sleep(GROWTH_PAUSE)
          continue
        }
        try {
          const socket = await this.#connect(head.signal)
          pause = BACKLOG_PAUSE.min
          // It may have been given up in this very moment.
          if (head.signal.aborted) socket.destroy()
          else head.resolve(socket)
        } catch (error) {
          if (isBacklogFull(error) && this.#mayStillWait(head)) {
            await sleep(pause)
            pause = Math.min(pause * 2, BACKLOG_PAUSE.max)
            continue
          }
          head.reject(error as FastCgiError)
        }
      }
      this.#queue.shift()
    }
  }

  /** Takes a vacancy, or the right to make the pool grow. */
  #mayGo(): boolean {
    if (!this.#options.paced()) return true
    const now = performance.now()
    while (this.#vacancies.length > 0 && now - (this.#vacancies[0] as number) > VACANCY)
      this.#vacancies.shift()
    if (this.#vacancies.shift() !== undefined) return true
    if (now - this.#lastGrowth < GROWTH_PAUSE) return false
    this.#lastGrowth = now
    return true
  }

  /** A pool that is slow is waited for, one that has hung is not. */
  #mayStillWait({ since }: PendingConnect<S>): boolean {
    return performance.now() - Math.max(since, this.#lastProgress) < this.#options.backlogTimeout
  }

  async #connect(signal: AbortSignal): Promise<S> {
    const { address, connectTimeout, connect } = this.#options
    const socket = await connect(address, connectTimeout, signal)
    this.#lastProgress = performance.now()
    return socket
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
