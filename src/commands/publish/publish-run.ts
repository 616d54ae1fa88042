import { randomUUID } from 'node:crypto'
import { BrokerError } from '../../amqp/broker-error.ts'
import { DIRECT_REPLY_TO } from '../../amqp/direct-reply.ts'
import { textFields } from '../../amqp/header-fields.ts'
import type { ConfirmPublisher } from '../../amqp/publisher.ts'
import { complain, say, taken } from '../../command-line/output.ts'
import { Progress } from '../../command-line/progress.ts'
import { OptionError } from '../../config/option-error.ts'
import type { PublishConfig } from '../../config/publish-config.ts'
import { summaryOf, writeBody } from './answer-text.ts'
import type { Answers } from './answers.ts'
import { InFlightLimit } from './in-flight-limit.ts'
import { countOf, jsonFault, readMessages, type SourceMessage } from './messages.ts'

/** sysexits */
export const EXIT = { done: 0, badInput: 65, unavailable: 69, incomplete: 75, configuration: 78 } as const

/** Unconfirmed at most: enough to keep the broker busy, little to hold in memory or to be unsure of. */
const UNCONFIRMED = { messages: 1_000, bytes: 16 * 1024 * 1024 }

/** Characters of a body that --verbose shows. */
const SHOWN_BODY = 200

type OutgoingMessage = Parameters<ConfirmPublisher['publish']>[0]

/** One run: from the first message to the count at the end. */
export class PublishRun {
  readonly #config: PublishConfig
  readonly #publisher: ConfirmPublisher
  readonly #inFlight = new InFlightLimit(UNCONFIRMED)
  readonly #progress: Progress
  readonly #answers: Answers | undefined
  /** Of what becomes of messages; where answers are waited for, standard output has nothing but them. */
  readonly #note: (text: string) => void
  #published = 0
  #refused = 0
  #answered = 0
  #unanswered = 0
  /** Sent, and nobody knows whether it arrived. */
  #unsure = 0
  #begun = false
  /** Ends a wait for our readers. */
  #wake: () => void = () => {}
  readonly #headers: ReturnType<typeof textFields>
  /** Why no more is sent. */
  #stopped: { readonly reason: string; readonly exitCode: number } | undefined

  /** @param answers where each message is to be answered */
  constructor(config: PublishConfig, publisher: ConfirmPublisher, answers: Answers | undefined) {
    this.#answers = answers
    this.#note = answers === undefined ? say : complain
    this.#headers = textFields(config.properties.headers ?? {})
    this.#config = config
    this.#publisher = publisher
    this.#progress = new Progress(process.stderr, countOf(config.source))
  }

  /**
   * Sends no more; what is sent is waited for.
   *
   * @returns whether anything was begun
   */
  stop(reason: string): boolean {
    this.#stop(reason, EXIT.incomplete)
    process.stdin.destroy()
    this.#wake()
    return this.#begun
  }

  async complete(): Promise<number> {
    this.#begun = true
    try {
      for await (const message of readMessages(this.#config.source, process.stdin)) {
        await this.#inFlight.room()
        await this.#readersReady()
        if (this.#stopped !== undefined) break
        this.#send(message)
      }
    } catch (error) {
      // An input that breaks off ends the run like a message that cannot be sent.
      this.#stop((error as Error).message, error instanceof OptionError ? error.exitCode : EXIT.badInput)
    }
    await this.#inFlight.empty()
    return this.#report()
  }

  /** A terminal's pager reads a page, and goes on later: what we would say must not pile up meanwhile. */
  async #readersReady(): Promise<void> {
    for (const stream of [process.stdout, process.stderr]) {
      if (!stream.writableNeedDrain || this.#stopped !== undefined) continue
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        void taken(stream).then(resolve)
      })
    }
  }

  #send(message: SourceMessage): void {
    const { properties, queue } = this.#config
    const fault = jsonFault(properties.contentType, message.body)
    if (fault !== undefined) {
      this.#refused += 1
      this.#progress.clear()
      complain(`${message.label} is left out, it is not JSON: ${fault}`)
      return
    }
    const messageId = properties.messageId ?? randomUUID()
    const timestamp = properties.timestamp ?? Math.floor(Date.now() / 1_000)
    const { headers: _, ...others } = properties
    const { length } = message.body
    this.#inFlight.enter(length)
    const outgoing: OutgoingMessage = {
      queue,
      properties: { ...others, messageId, timestamp, deliveryMode: 2 },
      headers: this.#headers,
      body: message.body,
    }
    const done =
      this.#answers === undefined
        ? this.#publish(message, outgoing)
        : this.#ask(message, outgoing, this.#answers)
    void done.finally(() => this.#inFlight.leave(length))
  }

  /** Never rejects. @returns whether it is in its queue */
  async #publish(message: SourceMessage, outgoing: OutgoingMessage): Promise<boolean> {
    try {
      await this.#publisher.publish(outgoing)
      this.#succeed(message, outgoing.properties.messageId ?? '')
      return true
    } catch (error) {
      this.#fail(message, error as Error)
      return false
    }
  }

  async #ask(message: SourceMessage, outgoing: OutgoingMessage, answers: Answers): Promise<void> {
    const correlationId = outgoing.properties.correlationId ?? randomUUID()
    const properties = { ...outgoing.properties, correlationId, replyTo: DIRECT_REPLY_TO }
    const coming = answers.expect(correlationId)
    if (!(await this.#publish(message, { ...outgoing, properties }))) return answers.forget(correlationId)
    const answer = await answers.inTime(correlationId, coming)
    this.#progress.clear()
    if (answer === undefined) {
      this.#unanswered += 1
      complain(`${message.label}: no answer in time`)
      return
    }
    this.#answered += 1
    complain(`${message.label}: ${summaryOf(answer)}`)
    writeBody(answer.body)
  }

  #succeed(message: SourceMessage, messageId: string): void {
    this.#published += 1
    if (this.#config.verbose) this.#note(`${message.label} ${messageId} ${excerpt(message.body)}`)
    else this.#progress.update(this.#published)
  }

  #fail(message: SourceMessage, error: Error): void {
    if (error instanceof BrokerError && error.unsure) this.#unsure += 1
    this.#stop(`${message.label}: ${error.message}`, EXIT.incomplete)
  }

  /** The first reason counts. */
  #stop(reason: string, exitCode: number): void {
    this.#stopped ??= { reason, exitCode }
  }

  #report(): number {
    this.#progress.clear()
    if (this.#stopped !== undefined) complain(`stopped: ${this.#stopped.reason}`)
    if (this.#unsure > 0)
      complain(`${this.#unsure} sent and not confirmed; they may be in the queue all the same`)
    const leftOut = this.#refused > 0 ? `, ${this.#refused} left out` : ''
    const answered = this.#answers === undefined ? '' : `, ${this.#answered} answered`
    this.#note(`${this.#published} published to "${this.#config.queue}"${leftOut}${answered}`)
    if (this.#stopped !== undefined) return this.#stopped.exitCode
    if (this.#unanswered > 0) return EXIT.unavailable
    return this.#refused > 0 ? EXIT.badInput : EXIT.done
  }
}

function excerpt(body: Buffer): string {
  const text = body.toString('utf8', 0, SHOWN_BODY)
  return body.length > SHOWN_BODY ? `${text}...` : text
}
