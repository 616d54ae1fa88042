import type { Channel, ConsumeMessage } from 'amqplib'
import type { Delivery } from '../bridge/ports.ts'
import { Acknowledgements, type AckPatience } from './acknowledgements.ts'
import { asBrokerError, withDeadline } from './broker-error.ts'
import { RPC_TIMEOUT, reasonOf } from './connection.ts'
import { SessionDelivery } from './delivery.ts'
import type { Lease } from './lease.ts'
import type { LookKind, PauseLook } from './pause-look.ts'
import { examineQueues, type Finding } from './queue-fitness.ts'
import { Subscription, type SubscriptionOptions } from './subscription.ts'
import { ensureQueues, type Topology } from './topology.ts'

export interface SessionOptions extends SubscriptionOptions {
  readonly topology: Topology
  /** Whether queues are taken that lose their messages some day. */
  readonly allowTransient: boolean
  /** Deliveries unacked at most, 1 to 65,535. */
  readonly prefetch: number
  /** Default: none. */
  readonly ackPatience?: AckPatience
  /** Looks whether the queue is paused, before each session consumes, and when somebody asks. */
  readonly pauseLook?: PauseLook
}

/**
 * One channel with one consumer, on a connection that it may share with other sessions. Connection lost, channel closed by the server and consumer
 * cancelled are one case: the session has ended, and every delivery of it is the broker's again.
 */
export class Session {
  /** Resolves, once, with the reason. */
  readonly ended: Promise<string>
  /** What the operator should know of the queues. */
  readonly findings: readonly Finding[]
  readonly #lease: Lease
  readonly #channel: Channel
  readonly #options: SessionOptions
  readonly #accept: (delivery: Delivery) => void
  readonly #acknowledgements: Acknowledgements
  readonly #subscription: Subscription
  #cancelled = false
  #end: (reason: string) => void = () => {}

  /**
   * @param lease is the session's from now on, if it opens
   * @param isWanted asked as late as possible: whether it is to consume before somebody resumes it
   * @throws {BrokerError}
   */
  static async open(
    lease: Lease,
    options: SessionOptions,
    accept: (delivery: Delivery) => void,
    isWanted: () => boolean = () => true,
  ): Promise<Session> {
    const { connection } = lease
    try {
      const { topology, queue, allowTransient } = options
      await ensureQueues(connection, topology)
      const findings = await examineQueues(connection, topology, { consumed: queue, allowTransient })
      const session = new Session(lease, await lease.openChannel(), options, accept, findings)
      await session.#subscription.limit(options.prefetch)
      await options.pauseLook?.at(connection)
      if (isWanted()) await session.#subscription.start()
      return session
    } catch (error) {
      throw asBrokerError(reasonOf(connection, error), 'the start of the consumer')
    }
  }

  private constructor(
    lease: Lease,
    channel: Channel,
    options: SessionOptions,
    accept: (delivery: Delivery) => void,
    findings: readonly Finding[],
  ) {
    this.findings = findings
    this.#lease = lease
    this.#channel = channel
    this.#options = options
    this.#accept = accept
    this.#acknowledgements = new Acknowledgements(channel, options.ackPatience)
    this.#subscription = new Subscription(lease.connection, channel, options, {
      isOpen: () => this.#acknowledgements.open,
      onMessage: (message) => this.#receive(message),
      onFailure: (reason) => this.#end(reason),
    })
    this.ended = new Promise((resolve) => {
      this.#end = (reason) => {
        this.#acknowledgements.close()
        resolve(reason)
      }
    })
    // What the server says comes as 'error' before the bare 'close'; the first reason counts.
    channel.on('error', (error) => this.#end(error.message))
    channel.on('close', () => {
      this.#acknowledgements.close()
      // A connection that is lost closes its channels first, and then says why.
      queueMicrotask(() => this.#end('the channel was closed'))
    })
    lease.on('close', (error) => this.#end(error?.message ?? 'the connection was closed'))
  }

  #receive(message: ConsumeMessage | null): void {
    // The broker cancels the consumer when its queue is deleted, and RabbitMQ 4.3 for a delivery that is unacked for too
    // long; channel and connection stay open.
    if (message === null) {
      this.#cancelled = true
      this.#end(
        `the broker cancelled the consumer: queue "${this.#options.queue}" was deleted, its node is gone, or a message was unacked for longer than its consumer_timeout`,
      )
    } else if (this.#acknowledgements.expects(message.fields.deliveryTag))
      this.#accept(new SessionDelivery(message, this.#acknowledgements))
    else this.#end(`the broker numbers its deliveries wrongly: ${message.fields.deliveryTag} is out of order`)
  }

  /** Asks for no more deliveries. Those on their way still arrive, until this resolves. Idempotent. */
  cancel(): Promise<void> {
    return this.#subscription.cancel()
  }

  /** Asks for deliveries, again or at first. If that fails the session ends. Idempotent. */
  resume(): Promise<void> {
    return this.#subscription.resume()
  }

  /** Asks for more deliveries; see Subscription. */
  widen(prefetch?: number): Promise<void> {
    return this.#subscription.widen(prefetch)
  }

  /** Looks whether the queue is paused; see PauseLook. */
  async look(kind: LookKind): Promise<string | undefined> {
    return this.#options.pauseLook?.at(this.#lease.connection, kind)
  }

  /** Until it has ended. */
  get open(): boolean {
    return this.#acknowledgements.open
  }

  /** Whether the broker has cancelled its consumer. */
  get cancelled(): boolean {
    return this.#cancelled
  }

  /** Whether its connection has ended, and not the session alone. */
  get connectionLost(): boolean {
    return this.#lease.lost
  }

  /**
   * Closes the channel, and then the connection where nobody else has it: closing the connection at once would discard acks that
   * still wait in the channel's buffer. Idempotent.
   */
  async close(): Promise<void> {
    if (this.#acknowledgements.open) {
      this.#acknowledgements.flush()
      this.#end('closed by us')
      await withDeadline(this.#channel.close(), RPC_TIMEOUT, 'channel.close').catch(() => {})
    }
    await this.#lease.release()
  }
}
