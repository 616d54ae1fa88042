import type { Message } from 'amqplib'
import type { HeaderField } from '../bridge/ports.ts'
import type { BrokerError } from './broker-error.ts'
import { tableOf } from './content-header-filter.ts'
import { splitFields } from './header-fields.ts'
import type { Traffic } from './lease.ts'
import { type Refusal, unanswered, unroutable, whyUnconfirmed } from './publish-error.ts'
import { PUBLISH_ID } from './publish-id.ts'

/** Milliseconds for a confirm; none run while the broker is in alarm. */
const CONFIRM_TIMEOUT = 30_000
/** Milliseconds between two looks at the oldest message that is not confirmed. */
const CONFIRM_INTERVAL = 1_000

/** A message on its way. */
interface Entry {
  readonly queue: string
  /** Milliseconds of `performance.now()`. */
  readonly since: number
  readonly settle: (error?: BrokerError) => void
}

/** The messages of one channel that are on their way: what became of each, by the id it was published with. */
export class Unconfirmed {
  /** In the order in which they were sent. */
  readonly #entries = new Map<string, Entry>()
  /** Publish ids of messages that came back as unroutable and are not confirmed yet. */
  readonly #returned = new Set<string>()
  readonly #traffic: Traffic
  readonly #onSuspectQueue: (queue: string) => void
  readonly #timer = setInterval(() => this.#expire(), CONFIRM_INTERVAL).unref()
  #sequence = 0
  /** Since when confirms can be expected, in milliseconds of `performance.now()`; undefined while the broker is in alarm. */
  #listening: number | undefined = 0

  /**
   * @param traffic counts them, together with those of the connection's other channels
   * @param onSuspectQueue hears of each queue that gave a message back, or does not confirm
   */
  constructor(traffic: Traffic, onSuspectQueue: (queue: string) => void) {
    this.#traffic = traffic
    this.#onSuspectQueue = onSuspectQueue
  }

  get size(): number {
    return this.#entries.size
  }

  nextId(): string {
    this.#sequence += 1
    return String(this.#sequence)
  }

  /** @param done is called once, with why the message is in no queue for certain, or perhaps */
  begin(id: string, queue: string, done: (error?: BrokerError) => void): void {
    this.#traffic.unconfirmed += 1
    const settle = (error?: BrokerError): void => {
      if (this.#entries.delete(id)) this.#traffic.unconfirmed -= 1
      done(error)
    }
    this.#entries.set(id, { queue, since: performance.now(), settle })
  }

  /**
   * @param error amqplib's, which confirms a returned message like any other; the return comes before the confirm
   * @param refusal why the broker has closed channel or connection, if it has
   */
  confirm(id: string, error: Error | null, refusal: Refusal | undefined): void {
    const entry = this.#entries.get(id)
    const returned = this.#returned.delete(id)
    if (entry === undefined) return
    if (returned) entry.settle(unroutable(entry.queue))
    else if (error === null) entry.settle()
    else entry.settle(whyUnconfirmed(refusal, error, entry.queue))
  }

  /** It has not been sent. */
  fail(id: string, error: BrokerError): void {
    this.#entries.get(id)?.settle(error)
  }

  return({ properties, fields }: Message): void {
    const headers = splitFields(tableOf(properties.headers) ?? Buffer.alloc(0))
    this.#returned.add(text(headers.findLast(([name]) => name === PUBLISH_ID)?.[1]))
    this.#onSuspectQueue(fields.routingKey)
  }

  /** The broker confirms nothing until it says otherwise. */
  expectNone(): void {
    this.#listening = undefined
  }

  expectAgain(): void {
    this.#listening = performance.now()
  }

  /** Nothing more is heard of what is still on its way. Idempotent. */
  end(refusal: Refusal | undefined): void {
    clearInterval(this.#timer)
    const closed = new Error('channel closed')
    for (const { queue, settle } of [...this.#entries.values()])
      settle(whyUnconfirmed(refusal, closed, queue))
  }

  /** Nobody waits for ever: a quorum queue without a leader never confirms. */
  #expire(): void {
    if (this.#listening === undefined) return
    for (const { queue, since, settle } of this.#entries.values()) {
      if (performance.now() - Math.max(since, this.#listening) < CONFIRM_TIMEOUT) return
      this.#onSuspectQueue(queue)
      settle(unanswered(queue, CONFIRM_TIMEOUT))
    }
  }
}

/** The text of a long string, which has its type and its length before it. */
function text(value: HeaderField[1] | undefined): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8', 5) : ''
}
