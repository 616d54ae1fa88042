import { setTimeout as pause } from 'node:timers/promises'
import type { Tell } from '../bridge/events.ts'
import type { Delivery, Intake } from '../bridge/ports.ts'
import { BrokerError, isUnanswered } from './broker-error.ts'
import type { BrokerList } from './broker-list.ts'
import { type BrokerUrl, formatBrokerUrl } from './broker-url.ts'
import type { Connections } from './connections.ts'
import type { Lease } from './lease.ts'
import type { LookKind } from './pause-look.ts'
import type { Finding } from './queue-fitness.ts'
import { Session, type SessionOptions } from './session.ts'
import { causeOf, patienceIn } from './session-end.ts'

export interface ConsumerOptions extends SessionOptions {
  readonly brokers: BrokerList
  /** Those to consume on. */
  readonly connections: Connections
  /** Milliseconds before try number `attempt` (from 1) to open a session, with any of the brokers, is repeated. */
  readonly delay: (attempt: number) => number
  /** Called when the broker ends a session since a delivery was unacked for so many milliseconds. */
  readonly onImpatience?: (milliseconds: number) => void
}

/** Milliseconds between tries when the broker says no to what it accepted before. */
const REFUSED_DELAY = 10_000

/** Milliseconds: a session that ends so soon, by what it consumes or by who does not want it, is a try that failed. */
const SHORT_SESSION = 1_000

/** After so many connections in a row that ended as it began to consume, a bridge takes one where it can end no others' sessions. */
const MAX_CUTS = 2

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'opening' }
  | { readonly kind: 'consuming'; readonly session: Session }
  | { readonly kind: 'cancelled'; readonly session: Session | undefined }

/** Keeps a session open for as long as deliveries are wanted: opens one after the other. */
export class Consumer implements Intake {
  readonly #options: ConsumerOptions
  readonly #accept: (delivery: Delivery) => void
  readonly #tell: Tell
  readonly #stop = new AbortController()
  #state: State = { kind: 'idle' }
  /** While it is, sessions are opened, and none consumes. */
  #paused = false
  /** Tells that the session consumes: once, where it did not at first. */
  #announce: (() => void) | undefined
  /** Connections in a row that have ended as it began to consume on them: others may be at fault as well. */
  #cuts = 0
  /** What has been said of the queues: each session finds it again. */
  readonly #said = new Set<string>()

  constructor(options: ConsumerOptions, accept: (delivery: Delivery) => void, tell: Tell) {
    this.#options = options
    this.#accept = accept
    this.#tell = tell
  }

  /**
   * Resolves when the first session consumes, or when cancelled before; sessions then follow each other.
   * Brokers that cannot be reached are tried until one can.
   *
   * @throws {BrokerError} what all brokers refuse at first, and will until somebody changes something; later it is tried again
   */
  async start(): Promise<void> {
    const first = await this.#open(true)
    if (first !== undefined) void this.#keepOpen(first)
  }

  /** Whether there is a session, which may be paused. */
  get up(): boolean {
    return this.#state.kind === 'consuming' && this.#state.session.open
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Idempotent. The session stays open, for what runs. */
  async pause(): Promise<void> {
    this.#paused = true
    if (this.#state.kind === 'consuming') await this.#state.session.cancel()
  }

  /** Idempotent. */
  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#state.kind === 'consuming') this.#resume(this.#state.session)
  }

  /**
   * Looks whether the queue is paused.
   *
   * @returns why it is not known: without a session, for one, the next one looks
   * @throws {BrokerError} where the connection fails
   */
  async look(kind: LookKind): Promise<string | undefined> {
    if (this.#state.kind !== 'consuming') return 'there is no session with a broker: the next one looks'
    return this.#state.session.look(kind)
  }

  widen(): void {
    if (this.#state.kind === 'consuming') void this.#state.session.widen()
  }

  /** No more deliveries and no more sessions; what was delivered can still be settled. */
  async cancel(): Promise<void> {
    const session = this.#state.kind === 'consuming' ? this.#state.session : undefined
    this.#state = { kind: 'cancelled', session }
    this.#stop.abort()
    this.#paused = false
    await session?.cancel()
  }

  /** Flushes what was settled and closes; to be called after cancel. */
  async close(): Promise<void> {
    if (this.#state.kind === 'cancelled') await this.#state.session?.close()
  }

  async #keepOpen(first: Session): Promise<void> {
    let shortOnes = 0
    for (let session: Session | undefined = first; session !== undefined; session = await this.#open(false)) {
      const opened = performance.now()
      const reason = await session.ended
      if (this.#stop.signal.aborted) return
      const patience = patienceIn(reason)
      const cause = causeOf(session, reason)
      this.#tell({ kind: 'session-ended', reason, cause, brokerConsumerTimeoutMs: patience })
      if (patience !== undefined) this.#options.onImpatience?.(patience)
      const short = performance.now() - opened < SHORT_SESSION
      shortOnes = short ? shortOnes + 1 : 0
      this.#cuts = short && session.connectionLost ? this.#cuts + 1 : 0
      await session.close()
      if (shortOnes > 0) await this.#wait(this.#options.delay(shortOnes))
    }
  }

  /** @returns undefined when cancelled */
  async #open(first: boolean): Promise<Session | undefined> {
    const { brokers, delay, queue, prefetch } = this.#options
    let reported: string | undefined
    for (let attempt = 1; !this.#stop.signal.aborted; attempt += 1) {
      this.#state = { kind: 'opening' }
      try {
        const [session, broker] = await brokers.open(async (broker) =>
          this.#stop.signal.aborted ? undefined : await this.#openAt(broker),
        )
        if (session === undefined || this.#stop.signal.aborted) {
          await session?.close()
          return undefined
        }
        this.#state = { kind: 'consuming', session }
        for (const finding of session.findings) this.#say(finding)
        this.#announce = () => {
          this.#tell({ kind: 'consuming', broker: formatBrokerUrl(broker), queue, prefetch })
        }
        // What was asked for while it was opened.
        if (this.#paused) await session.cancel()
        else this.#resume(session)
        return session
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error
        if (first && error.permanent) throw error
        if (error.message !== reported) this.#tell({ kind: 'not-consuming', reason: error.message })
        reported = error.message
        await this.#wait(error.permanent ? REFUSED_DELAY : delay(attempt))
      }
    }
    return undefined
  }

  #resume(session: Session): void {
    void session.resume()
    this.#announce?.()
    this.#announce = undefined
  }

  #openAt(broker: BrokerUrl): Promise<Session> {
    const open = async (lease: Lease): Promise<Session> => {
      try {
        return await Session.open(lease, this.#options, this.#accept, () => !this.#paused)
      } catch (error) {
        if (lease.lost) this.#cuts += 1
        // The broker may close the connection over it a minute later, and would over each further try.
        else if (isUnanswered(error)) this.#cuts = MAX_CUTS
        throw error
      }
    }
    return this.#options.connections.open(broker, open, this.#cuts < MAX_CUTS ? 'shared' : 'alone')
  }

  #say({ kind, queue, reason }: Finding): void {
    if (this.#said.has(queue + reason)) return
    this.#said.add(queue + reason)
    this.#tell({ kind: 'queue-finding', finding: kind, queue, reason })
  }

  /** Resolves after so many milliseconds, or at once when cancelled. */
  async #wait(milliseconds: number): Promise<void> {
    await pause(milliseconds, undefined, { signal: this.#stop.signal }).catch(() => {})
  }
}
