import type { ConsumeMessage } from 'amqplib'
import type { Delivery, HeaderField, MessageProperties } from '../bridge/ports.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { fieldsOf, type ReceivedHeaders, readHeaders } from './received-headers.ts'

/** A delivery and the session it came with: on any other its tag would settle somebody else's message. */
export class SessionDelivery implements Delivery {
  readonly deliveryTag: number
  readonly consumerTag: string
  readonly redelivered: boolean
  readonly exchange: string
  readonly routingKey: string
  readonly properties: MessageProperties
  readonly body: Buffer
  readonly receivedAt = performance.now()
  readonly #acknowledgements: Acknowledgements
  readonly #headers: ReceivedHeaders
  #settled = false

  constructor({ fields, properties, content }: ConsumeMessage, acknowledgements: Acknowledgements) {
    this.deliveryTag = fields.deliveryTag
    this.consumerTag = fields.consumerTag
    this.redelivered = fields.redelivered
    this.exchange = fields.exchange
    this.routingKey = fields.routingKey
    this.#headers = readHeaders(properties)
    this.properties = properties
    this.body = content
    this.#acknowledgements = acknowledgements
  }

  get live(): boolean {
    return this.#acknowledgements.open
  }

  get defect(): string | undefined {
    return this.#headers.defect
  }

  headerFields(): readonly HeaderField[] {
    return fieldsOf(this.#headers)
  }

  ack(): void {
    if (this.#take()) this.#acknowledgements.ack(this.deliveryTag)
  }

  requeue(): void {
    if (this.#take()) this.#acknowledgements.requeue(this.deliveryTag)
  }

  /** The right to settle is given once; a second ack of one tag would close the channel (406). */
  #take(): boolean {
    if (this.#settled || !this.live) return false
    this.#settled = true
    return true
  }
}
