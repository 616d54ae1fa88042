import type { Channel } from 'amqplib'
import type { Delivery } from '../bridge/ports.ts'
import { Acknowledgements } from './acknowledgements.ts'
import { asBrokerError, withDeadline } from './broker-error.ts'
import { RPC_TIMEOUT, reasonOf } from './connection.ts'
import { SessionDelivery } from './delivery.ts'
import type { Lease } from './lease.ts'
import type { LookKind, PauseLook } from './pause-look.ts'
import { consumeError } from './queue-error.ts'
import { examineQueues, type Finding } from './queue-fitness.ts'
import { ensureQueues, type Topology } from './topology.ts'

export interface SessionOptions {
  readonly topology: Topology
  readonly queue: string
  /** Whether queues are taken that lose their messages some day. */
  readonly allowTransient: boolean
  /** Of a consumer that follows another on the channel: with a number. */
  readonly consumerTag: string
  /** Deliveries unacked at most, 1 to 65,535. */
  readonly prefetch: number
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
  #consumers = 0
  #consuming = false
  #cancelled = false
  /** Whether deliveries are asked for, or will be when it is the turn of that. */
  #wanted = true
  #turn: Promise<void> = Promise.resolve()
  #end: (reason: string) => void = () => {}

  /**
   * @param lease is the session's from now on, if it opens
   * @param isWanted asked as late as possible: whether it is to consume before somebody resumes it; it may take its time
   * @throws {BrokerError}
   */
  static async open(
    lease: Lease,
    options: SessionOptions,
    accept: (delivery: Delivery) => void,
    isWanted: () => Promise<boolean> = async () => true,
  ): Promise<Session> {
    const { connection } = lease
    try {
      const { topology, queue, allowTransient } = options
      await ensureQueues(connection, topology)
      const findings = await examineQueues(connection, topology, { consumed: queue, allowTransient })
      const session = new Session(lease, await lease.openChannel(), options, accept, findings)
      await withDeadline(session.#channel.prefetch(options.prefetch), RPC_TIMEOUT, 'basic.qos')
      await options.pauseLook?.at(connection)
      session.#wanted = await isWanted()
      if (session.#wanted) await session.#consume()
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
    this.#acknowledgements = new Acknowledgements(channel)
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

  /**
   * No tag is used twice on one channel: while deliveries of a cancelled consumer are unacked, a quorum queue takes the next one
   * of its name for the same, and misses what has gone (RabbitMQ 3.10 then closes the connection, and executes all again).
   */
  get #tag(): string {
    const { consumerTag } = this.#options
    // Their order is that of their names: a quorum queue goes by those where it takes back what all of them have left.
    return this.#consumers === 1 ? consumerTag : `${consumerTag}.${String(this.#consumers).padStart(3, '0')}`
  }

  async #consume(): Promise<void> {
    const { queue } = this.#options
    this.#consumers += 1
    this.#consuming = true
    const consuming = this.#channel.consume(
      queue,
      (message) => {
        // The broker cancels the consumer when its queue is deleted, and RabbitMQ 4.3 for a delivery that is unacked for too
        // long; channel and connection stay open.
        if (message === null) {
          this.#cancelled = true
          this.#end(
            `the broker cancelled the consumer: queue "${queue}" was deleted, its node is gone, or a message was unacked for longer than its consumer_timeout`,
          )
        } else if (this.#acknowledgements.expects(message.fields.deliveryTag))
          this.#accept(new SessionDelivery(message, this.#acknowledgements))
        else
          this.#end(
            `the broker numbers its deliveries wrongly: ${message.fields.deliveryTag} is out of order`,
          )
      },
      { consumerTag: this.#tag },
    )
    await withDeadline(consuming, RPC_TIMEOUT, 'basic.consume').catch((error: unknown) => {
      throw consumeError(queue, reasonOf(this.#lease.connection, error))
    })
  }

  /** Asks for no more deliveries. Those on their way still arrive, until this resolves. Idempotent. */
  cancel(): Promise<void> {
    this.#wanted = false
    return this.#inTurn(async () => {
      if (!this.#consuming) return
      this.#consuming = false
      await this.#cancel(this.#tag)
    })
  }

  /** Asks for deliveries, again or at first. If that fails the session ends. Idempotent. */
  resume(): Promise<void> {
    this.#wanted = true
    return this.#inTurn(async () => {
      if (!this.#consuming) await this.#consumeAgain()
    })
  }

  /** Looks whether the queue is paused; see PauseLook. */
  async look(kind: LookKind): Promise<string | undefined> {
    return this.#options.pauseLook?.at(this.#lease.connection, kind)
  }

  /**
   * Asks for `prefetch` deliveries more, by another consumer in place of this one: it does not count what that one has left unacked
   * (RabbitMQ's basic.qos is for each consumer). It begins before the other ends: a queue may go with its last consumer.
   *
   * @param prefetch of that consumer, and of those after it; default: as it is
   */
  widen(prefetch?: number): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#wanted || !this.#consuming) return
      if (prefetch !== undefined)
        await withDeadline(this.#channel.prefetch(prefetch), RPC_TIMEOUT, 'basic.qos').catch(() => {})
      const former = this.#tag
      await this.#consumeAgain()
      await this.#cancel(former)
    })
  }

  /** One after the other: a consumer that is cancelled while it begins would go on. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(() => (this.#acknowledgements.open ? step() : undefined))
    return this.#turn
  }

  async #cancel(consumerTag: string): Promise<void> {
    // If that fails the session is ending, and with it the consumer.
    await withDeadline(this.#channel.cancel(consumerTag), RPC_TIMEOUT, 'basic.cancel').catch(() => {})
  }

  async #consumeAgain(): Promise<void> {
    await this.#consume().catch((error: unknown) => this.#end(`cannot consume again: ${String(error)}`))
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
