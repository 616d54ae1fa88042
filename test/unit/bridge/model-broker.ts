import type { Intake, OutgoingMessage, Publisher } from '../../../src/bridge/ports.ts'
import { propertiesOf, RecordingDelivery } from '../../support/recording.ts'

/**
 * What becomes of a copy: taken and confirmed, at once or `late`, when nobody may wait for it any more; refused; or taken, and the
 * confirm does not arrive, which is known at once or late (`unanswered`).
 */
export type Publication = 'taken' | 'late' | 'refused' | 'unconfirmed' | 'unanswered'

/** Milliseconds: longer than a message waits for its copy. */
const LATE = 20_000

type Fate = 'ack' | 'requeue' | undefined

/** One that is settled once, and only while its session lives. */
export class ModelDelivery extends RecordingDelivery {
  fate: Fate = undefined
  onSettled: (fate: Fate) => void = () => {}

  override ack(): void {
    this.#settle('ack')
  }

  override requeue(): void {
    this.#settle('requeue')
  }

  #settle(fate: Fate): void {
    if (this.fate !== undefined || !this.live) return
    this.fate = fate
    this.onSettled(fate)
  }
}

interface Message {
  readonly properties: RecordingDelivery['properties']
  readonly body: Buffer
  readonly redelivered: boolean
}

/** A broker with one queue that hands out what it has, and queues for copies. What rests for a retry comes back at once. */
export class ModelBroker implements Publisher, Intake {
  /** All that there ever were, by their tags, which are never used again. */
  readonly deliveries: ModelDelivery[] = []
  readonly #prefetch: number
  readonly #queue: string
  readonly #waiting: Message[] = []
  readonly #unacked = new Map<ModelDelivery, Message>()
  /** The copies that were taken. */
  readonly copies: { readonly queue: string; readonly as: Publication }[] = []
  /** What becomes of the next copies; then they are taken. */
  readonly publications: Publication[] = []
  #published = 0
  #paused = false

  constructor({ queue, prefetch }: { readonly queue: string; readonly prefetch: number }) {
    this.#queue = queue
    this.#prefetch = prefetch
  }

  get acks(): number {
    return this.deliveries.filter(({ fate }) => fate === 'ack').length
  }

  /** Messages that nobody has acked. */
  get left(): number {
    return this.#waiting.length + this.#unacked.size
  }

  /** Somebody publishes a message. */
  add(body = `{"n":${this.#published}}`, headers: Readonly<Record<string, unknown>> = {}): void {
    this.#published += 1
    const properties = { messageId: `M-${this.#published}`, headers }
    this.#waiting.push({ properties, body: Buffer.from(body), redelivered: false })
  }

  /** The next one that is handed out. */
  next(): ModelDelivery | undefined {
    if (this.#paused || this.#unacked.size >= this.#prefetch) return undefined
    const message = this.#waiting.shift()
    if (message === undefined) return undefined
    const delivery = new ModelDelivery({ ...message, deliveryTag: this.deliveries.length + 1 })
    this.deliveries.push(delivery)
    this.#unacked.set(delivery, message)
    delivery.onSettled = (fate) => {
      this.#unacked.delete(delivery)
      if (fate === 'requeue') this.#waiting.unshift({ ...message, redelivered: true })
    }
    return delivery
  }

  /** What is unacked is in the queue again. */
  endSession(): void {
    for (const [delivery, message] of this.#unacked) {
      delivery.live = false
      this.#waiting.unshift({ ...message, redelivered: true })
    }
    this.#unacked.clear()
    this.#paused = false
  }

  async publish(message: OutgoingMessage): Promise<void> {
    const publication = this.publications.shift() ?? 'taken'
    if (publication === 'refused') throw new Error('refused')
    this.#take(message)
    this.copies.push({ queue: message.queue, as: publication })
    if (['late', 'unanswered'].includes(publication))
      await new Promise((resolve) => setTimeout(resolve, LATE))
    if (!['taken', 'late'].includes(publication)) throw new Error('no confirm')
  }

  async pause(): Promise<void> {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
  }

  widen(): void {}

  #take(message: OutgoingMessage): void {
    if (message.queue !== this.#queue && !message.queue.startsWith(`${this.#queue}.retry.`)) return
    this.#waiting.push({ properties: propertiesOf(message), body: message.body, redelivered: false })
  }
}
