import type { Channel, Message } from 'amqplib'

/**
 * A channel that settles as RabbitMQ does (AMQP 0-9-1, basic.ack and basic.nack): `multiple` settles every unacked
 * delivery up to the tag, and a tag that is not unacked closes the channel with 406 PRECONDITION_FAILED.
 */
export class ScriptedChannel {
  readonly unacked = new Set<number>()
  readonly acked: number[] = []
  readonly requeued: number[] = []
  frames = 0
  closed: string | undefined
  #delivered = 0

  /** The next delivery's tag. */
  deliver(): number {
    this.#delivered += 1
    this.unacked.add(this.#delivered)
    return this.#delivered
  }

  /** As amqplib's, which throws when its channel is gone. */
  asChannel(): Channel {
    const ack = (message: Message, multiple = false) => this.#settle(message, multiple, this.acked)
    const nack = (message: Message, multiple = false) => this.#settle(message, multiple, this.requeued)
    return { ack, nack } as unknown as Channel
  }

  #settle({ fields: { deliveryTag } }: Message, multiple: boolean, settled: number[]): void {
    if (this.closed !== undefined) throw new Error('IllegalOperationError: Channel closed')
    this.frames += 1
    const tags = multiple ? [...this.unacked].filter((tag) => tag <= deliveryTag) : [deliveryTag]
    if (!this.unacked.has(deliveryTag)) this.closed = `406 unknown delivery tag ${deliveryTag}`
    else for (const tag of tags) if (this.unacked.delete(tag)) settled.push(tag)
  }
}
