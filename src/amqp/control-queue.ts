import { setTimeout as pause } from 'node:timers/promises'
import type { Tell } from '../bridge/events.ts'
import type { OutgoingMessage } from '../bridge/ports.ts'
import { BrokerError } from './broker-error.ts'
import type { BrokerList } from './broker-list.ts'
import { type BrokerUrl, formatBrokerUrl } from './broker-url.ts'
import type { Connections } from './connections.ts'
import { type Commanding, ControlLink } from './control-link.ts'

/** Milliseconds between tries when the broker says no: nothing else depends on it. */
const REFUSED_DELAY = 60_000

/** Milliseconds: what ends so soon is a try that failed. */
const SHORT_LINK = 1_000

export interface ControlQueueOptions {
  readonly brokers: BrokerList
  /** Those to publish on. */
  readonly connections: Connections
  readonly exchange: string
  /** Milliseconds before try number `attempt` (from 1) is repeated. */
  readonly delay: (attempt: number) => number
}

/** Hears of commands for as long as it is open, through whichever broker works. What is in the way is told, and ends nothing else. */
export class ControlQueue {
  readonly #options: ControlQueueOptions
  readonly #onCommand: (command: Commanding) => void
  readonly #tell: Tell
  readonly #stop = new AbortController()
  #link: ControlLink | undefined
  /** The refusal that was told last; undefined since it worked. */
  #refusal: string | undefined
  #hasOpened = false

  constructor(options: ControlQueueOptions, onCommand: (command: Commanding) => void, tell: Tell) {
    this.#options = options
    this.#onCommand = onCommand
    this.#tell = tell
  }

  start(): void {
    void this.#keepOpen()
  }

  /** Dropped where there is no broker at the moment. */
  answer(message: OutgoingMessage): void {
    this.#link?.answer(message)
  }

  /** Resolves when it has left its connection. One that is being opened is left when it is. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#link?.close()
  }

  async #keepOpen(): Promise<void> {
    for (let attempt = 1; !this.#isClosed; attempt += 1) {
      const delay = await this.#once(attempt)
      if (delay === 0) attempt = 0
      await pause(delay, undefined, { signal: this.#stop.signal }).catch(() => {})
    }
  }

  get #isClosed(): boolean {
    return this.#stop.signal.aborted
  }

  /** One link, from its opening to its end. @returns how many milliseconds to wait for the next one */
  async #once(attempt: number): Promise<number> {
    const { brokers, delay } = this.#options
    try {
      const [link, broker] = await brokers.open((broker) => this.#openAt(broker))
      this.#link = link
      if (!this.#isClosed) this.#tellOpen(broker)
      const since = performance.now()
      if (!this.#isClosed) await link.ended
      this.#link = undefined
      await link.close()
      return performance.now() - since < SHORT_LINK ? delay(attempt) : 0
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      if (error.permanent) this.#tellRefusal(error.message)
      return error.permanent ? REFUSED_DELAY : delay(attempt)
    }
  }

  #openAt(broker: BrokerUrl): Promise<ControlLink> {
    const { connections, exchange } = this.#options
    const onForbidden = (reason: string): void => this.#tell({ kind: 'answers-refused', reason })
    return connections.open(broker, (lease) =>
      ControlLink.open(lease, exchange, this.#onCommand, onForbidden),
    )
  }

  #tellOpen(broker: BrokerUrl): void {
    const { exchange } = this.#options
    if (!this.#hasOpened || this.#refusal !== undefined)
      this.#tell({ kind: 'control-open', broker: formatBrokerUrl(broker), exchange })
    this.#hasOpened = true
    this.#refusal = undefined
  }

  #tellRefusal(reason: string): void {
    if (reason !== this.#refusal && !this.#isClosed) this.#tell({ kind: 'control-refused', reason })
    this.#refusal = reason
  }
}
