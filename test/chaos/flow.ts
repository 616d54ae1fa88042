import { setTimeout as sleep } from 'node:timers/promises'
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import { eventually } from '../support/eventually.ts'
import { type Asked, bodyOf, headersOf, planned } from './message-plan.ts'
import { QUEUE } from './stage.ts'

/** A message that was handed to the broker. */
export interface Published {
  readonly asked: Asked
  /** Milliseconds since the epoch. */
  readonly time: number
  /** False: it may be in the queue or not. Nothing is promised about it; its successor has an id of its own. */
  confirmed: boolean
}

export interface FlowOptions {
  readonly url: string
  readonly seed: number
  /** Messages per second. */
  readonly rate: number
  readonly queueType: 'classic' | 'quorum'
}

/** Milliseconds between two looks at what is due. */
const TICK = 20

/** Longer than a broker is ever away. */
const PATIENCE = { within: 120_000 }

/** More than so many without a confirm, and the flow waits for the broker. */
const MOST_UNCONFIRMED = 500

/** Publishes messages at a steady rate, persistent, mandatory and confirmed, and knows which of them were. */
export class Flow {
  readonly published = new Map<string, Published>()
  readonly #options: FlowOptions
  #channel: Promise<ConfirmChannel> | undefined
  #connection: ChannelModel | undefined
  #sequence = 0
  #confirmed = 0
  #unconfirmed = 0
  #blocked = false
  #state: 'flowing' | 'paused' | 'stopped' = 'paused'
  #pacing: Promise<void> | undefined

  constructor(options: FlowOptions) {
    this.#options = options
  }

  get confirmed(): number {
    return this.#confirmed
  }

  /** Whether the broker has said that it reads nothing from us. */
  get blocked(): boolean {
    return this.#blocked
  }

  /** Starts, or goes on. */
  start(): void {
    this.#state = 'flowing'
    this.#pacing ??= this.#pace()
  }

  /** Resolves when the broker has confirmed all that is on its way, or never will. */
  async pause(): Promise<void> {
    this.#state = 'paused'
    await eventually('nothing is on its way to the broker', () => this.#unconfirmed === 0, PATIENCE)
  }

  /**
   * One message apart from the flow's, tried until the broker has confirmed it.
   *
   * @returns its id
   */
  async send(asked: Asked): Promise<string> {
    return await eventually('a message is confirmed', () => this.#publish(asked), PATIENCE)
  }

  /** Ends it, after what is on its way. Idempotent. */
  async stop(): Promise<void> {
    if (this.#state === 'stopped') return
    await this.pause()
    await this.abort()
  }

  /** Ends it now. Idempotent. */
  async abort(): Promise<void> {
    this.#state = 'stopped'
    await this.#connection?.close().catch(() => {})
  }

  async #pace(): Promise<void> {
    let due = 0
    for (let last = performance.now(); this.#state !== 'stopped'; ) {
      await sleep(TICK)
      const now = performance.now()
      const room = this.#state === 'flowing' ? MOST_UNCONFIRMED - this.#unconfirmed : 0
      // What could not be published in time is not made up for: the rate stays as it is.
      due = Math.min(due + ((now - last) * this.#options.rate) / 1_000, this.#options.rate / 10, room)
      for (last = now; due >= 1; due -= 1) void this.#publish(planned(this.#options.seed, this.#sequence + 1))
    }
  }

  /** @returns the id; undefined when it was not confirmed */
  async #publish(asked: Asked): Promise<string | undefined> {
    this.#sequence += 1
    this.#unconfirmed += 1
    const id = `M-${this.#sequence}`
    try {
      const channel = await this.#open()
      const message: Published = { asked, time: Date.now(), confirmed: false }
      this.published.set(id, message)
      message.confirmed = await confirmed(channel, id, asked)
      if (!message.confirmed) return undefined
      this.#confirmed += 1
      return id
    } catch {
      return undefined // the broker is away
    } finally {
      this.#unconfirmed -= 1
    }
  }

  #open(): Promise<ConfirmChannel> {
    this.#channel ??= this.#connect().catch(async (error: unknown) => {
      await sleep(100)
      this.#channel = undefined
      throw error
    })
    return this.#channel
  }

  async #connect(): Promise<ConfirmChannel> {
    const { url, queueType } = this.#options
    const connection = await connect(url, { noDelay: true, timeout: 5_000 })
    connection.on('error', () => {})
    this.#blocked = false
    connection.on('blocked', () => {
      this.#blocked = true
    })
    connection.on('unblocked', () => {
      this.#blocked = false
    })
    const channel = await connection.createConfirmChannel()
    channel.on('error', () => {})
    channel.on('close', () => {
      this.#channel = undefined
      connection.close().catch(() => {})
    })
    channel.on('return', ({ properties }) => {
      // amqplib confirms it like any other; the return comes first.
      returned(channel).add(String(properties.messageId))
    })
    // Naming the default type would conflict with those who declare the queue without arguments.
    const type = queueType === 'quorum' ? { arguments: { 'x-queue-type': queueType } } : {}
    await channel.assertQueue(QUEUE, { durable: true, ...type })
    this.#connection = connection
    return channel
  }
}

const returnedIds = new WeakMap<ConfirmChannel, Set<string>>()

function returned(channel: ConfirmChannel): Set<string> {
  const ids = returnedIds.get(channel) ?? new Set<string>()
  returnedIds.set(channel, ids)
  return ids
}

function confirmed(channel: ConfirmChannel, messageId: string, asked: Asked): Promise<boolean> {
  const how = { persistent: true, mandatory: true, contentType: 'application/json' }
  const properties = { ...how, messageId, headers: headersOf(asked) }
  return new Promise((resolve) => {
    const settle = (error: unknown): void => {
      const back = returned(channel).delete(messageId)
      resolve(!back && (error === null || error === undefined))
    }
    channel.publish('', QUEUE, bodyOf(messageId, asked), properties, settle)
  })
}
