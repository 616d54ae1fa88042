import type { Channel, ConsumeMessage } from 'amqplib'
import type { OutgoingMessage } from '../bridge/ports.ts'
import { asBrokerError, BrokerError, withDeadline } from './broker-error.ts'
import { RPC_TIMEOUT } from './connection.ts'
import type { Lease } from './lease.ts'
import { replyOf, withRemedy } from './reply.ts'

/** What somebody has published to the exchange. */
export interface Commanding {
  readonly type: string | undefined
  readonly routingKey: string
  readonly body: Buffer
  readonly replyTo: string | undefined
  readonly correlationId: string | undefined
}

/** Milliseconds between two tries to answer where the user may not publish. */
const FORBIDDEN_REST = 60_000

/**
 * A queue of our own, bound to the exchange by `#`, on a connection that publishes: what is answered must not block the one that acks. The
 * broker keeps nothing for a daemon that is away.
 */
export class ControlLink {
  /** Resolves, once, when no more commands come by it. */
  readonly ended: Promise<void>
  readonly #lease: Lease
  readonly #onForbidden: (reason: string) => void
  readonly #end: () => void
  /** Apart from the commands: the broker closes it where the user may not publish. */
  #answers: Channel | undefined
  #answersOpening = false
  #isFull = false
  #openAgainAt = 0

  /**
   * @param lease is the link's from now on, if it opens
   * @param exchange a topic exchange, declared where it is missing
   * @param onForbidden hears why nobody gets answers
   * @throws {BrokerError} CONTROL_REFUSED where the user lacks a permission, or the exchange is of another type; UNREACHABLE
   */
  static async open(
    lease: Lease,
    exchange: string,
    onCommand: (command: Commanding) => void,
    onForbidden: (reason: string) => void,
  ): Promise<ControlLink> {
    const channel = await openAtExchange(lease, exchange)
    const { queue } = await step(
      channel.assertQueue('', { exclusive: true, autoDelete: true, durable: false }),
      'it may not declare a queue of its own',
      'configure "amq\\.gen-.*"',
    )
    await step(
      channel.bindQueue(queue, exchange, '#'),
      'it may not bind its queue to the exchange',
      `read "${exchange}", and write "amq\\.gen-.*"`,
    )
    let onCancel = (): void => {}
    const take = (message: ConsumeMessage | null): void => {
      if (message === null) onCancel()
      else onCommand(commandingIn(message))
    }
    const consuming = channel.consume(queue, take, { noAck: true, exclusive: true })
    await step(consuming, 'it may not consume from its queue', 'read "amq\\.gen-.*"')
    return new ControlLink(lease, channel, onForbidden, (cancel) => {
      onCancel = cancel
    })
  }

  private constructor(
    lease: Lease,
    channel: Channel,
    onForbidden: (reason: string) => void,
    onCancel: (cancel: () => void) => void,
  ) {
    this.#lease = lease
    this.#onForbidden = onForbidden
    let end = (): void => {}
    this.ended = new Promise((resolve) => {
      end = resolve
    })
    this.#end = end
    channel.on('close', end)
    lease.on('close', end)
    onCancel(end)
  }

  /** Nobody waits for it: what the broker does not take at the moment is dropped. */
  answer(message: OutgoingMessage): void {
    if (this.#answers === undefined) this.#openAnswers(message)
    else if (!this.#isFull) this.#publish(this.#answers, message)
  }

  /** Leaves the connection. Idempotent. */
  async close(): Promise<void> {
    this.#end()
    await this.#lease.release()
  }

  #publish(channel: Channel, { queue, properties, body }: OutgoingMessage): void {
    try {
      // amqplib takes undefined for a property that is not set.
      this.#isFull = !channel.publish('', queue, body, properties as object)
    } catch {
      // It has just been closed.
    }
  }

  /** At first need, and again after it was closed. The first answer waits for it; others are dropped meanwhile. */
  #openAnswers(first: OutgoingMessage): void {
    if (this.#answersOpening || performance.now() < this.#openAgainAt) return
    this.#answersOpening = true
    this.#lease
      .openChannel()
      .then((channel) => {
        this.#answers = channel
        this.#isFull = false
        channel.on('drain', () => {
          this.#isFull = false
        })
        channel.on('error', (error: Error) => this.#hearOf(error))
        channel.on('close', () => {
          this.#answers = undefined
        })
        this.#publish(channel, first)
      })
      // Without it nobody is answered; the next answer tries again.
      .catch(() => {})
      .finally(() => {
        this.#answersOpening = false
      })
  }

  #hearOf(error: Error): void {
    const reply = replyOf(error)
    if (reply?.code !== 403) return
    this.#openAgainAt = performance.now() + FORBIDDEN_REST
    this.#onForbidden(withRemedy(reply.text, 'give the user the permission to write "amq\\.default"'))
  }
}

/** Where the user may not declare it, it may be there all the same. */
async function openAtExchange(lease: Lease, exchange: string): Promise<Channel> {
  const channel = await lease.openChannel()
  try {
    await withDeadline(
      channel.assertExchange(exchange, 'topic', { durable: true }),
      RPC_TIMEOUT,
      'exchange.declare',
    )
    return channel
  } catch (error) {
    const reply = replyOf(error)
    if (reply?.code === 406) {
      const remedy = 'delete it when nobody needs it; a daemon declares it again'
      throw refusal(`exchange "${exchange}" is none of --control: ${reply.text}`, remedy, error)
    }
    if (reply?.code !== 403) throw asBrokerError(error, 'exchange.declare')
  }
  const other = await lease.openChannel()
  await step(
    other.checkExchange(exchange),
    `exchange "${exchange}" is missing, and the user may not declare it`,
    `configure "${exchange}", or declare it: durable, type topic`,
  )
  return other
}

/** @param permission what its refusal asks for */
async function step<T>(answer: Promise<T>, fault: string, permission: string): Promise<T> {
  try {
    return await withDeadline(answer, RPC_TIMEOUT, 'an answer')
  } catch (error) {
    const { code, text = '' } = replyOf(error) ?? {}
    if (code === 403 || code === 404)
      throw refusal(`${fault} (${text})`, `give the user the permission to ${permission}`, error)
    throw asBrokerError(error, 'the start of control')
  }
}

function refusal(text: string, remedy: string, cause: unknown): BrokerError {
  // The broker names it anew each time; the refusal is the same.
  const alike = text.replaceAll(/amq\.gen-[\w-]+/g, 'amq.gen-...')
  return new BrokerError('CONTROL_REFUSED', withRemedy(alike, remedy), { cause })
}

function commandingIn({ fields, properties, content }: ConsumeMessage): Commanding {
  const { type, replyTo, correlationId } = properties
  return { type, routingKey: fields.routingKey, body: content, replyTo, correlationId }
}
