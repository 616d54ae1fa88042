import { randomUUID } from 'node:crypto'
import { BrokerError } from '../../amqp/broker-error.ts'
import { BrokerList } from '../../amqp/broker-list.ts'
import { Connections } from '../../amqp/connections.ts'
import { textFields } from '../../amqp/header-fields.ts'
import { ConfirmPublisher } from '../../amqp/publisher.ts'
import { QueueAges } from '../../amqp/queue-ages.ts'
import { plainQueue } from '../../amqp/topology.ts'
import { complain, say, taken } from '../../command-line/output.ts'
import { Progress } from '../../command-line/progress.ts'
import type { Signals } from '../../command-line/signals.ts'
import { OptionError } from '../../config/option-error.ts'
import { type PublishConfig, readPublishConfig } from '../../config/publish-config.ts'
import { logLines } from '../../observe/log-lines.ts'
import { createLogger } from '../../observe/logger.ts'
import type { Invocation } from '../command.ts'
import { InFlightLimit } from './in-flight-limit.ts'
import { countOf, jsonFault, readMessages, type SourceMessage } from './messages.ts'

/** sysexits */
const EXIT = { done: 0, badInput: 65, unavailable: 69, incomplete: 75, configuration: 78 } as const

/** Unconfirmed at most: enough to keep the broker busy, little to hold in memory or to be unsure of. */
const UNCONFIRMED = { messages: 1_000, bytes: 16 * 1024 * 1024 }

/** Characters of a body that --verbose shows. */
const SHOWN_BODY = 200

/**
 * `fpm-bridge publish`: every message persistent, confirmed, and routed to a queue. A message that is not JSON
 * although its content type says so is left out; the first one that cannot be published ends the run.
 *
 * @returns the exit code: 0 all published, 65 some input was bad, 69 no broker, 75 stopped half-way, 78 refused
 */
export async function publish({ words, options, signals }: Invocation): Promise<number> {
  const config = readPublishConfig(options(), words)
  if (config.source.kind === 'lines' && process.stdin.isTTY) {
    throw new OptionError('no messages: give them as arguments, with --body, or on standard input', 64)
  }
  const log = createLogger({ level: 'warn', format: 'text', stream: process.stderr, fields: {} })
  const { queue, queueType, declare } = config
  const topology = { queues: [plainQueue(queue, queueType)], declare, ages: new QueueAges(false) }
  const tell = logLines(log)
  const brokers = new BrokerList(config.brokers, tell)
  brokers.warnOfInsecure()
  const connections = new Connections('fpm-bridge publish')
  const publisher = new ConfirmPublisher({ brokers, connections, topology }, tell)
  const run = new PublishRun(config, publisher)
  const complete = async (): Promise<number> => {
    try {
      await publisher.connect()
      await warnOfLosses(publisher)
      return await run.complete()
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error
      complain(error.message)
      return error.permanent ? EXIT.configuration : EXIT.unavailable
    } finally {
      await publisher.close()
    }
  }
  return Promise.race([complete(), left(run, signals)])
}

/** What is confirmed, and gone some day all the same: nobody else tells the publisher. */
async function warnOfLosses(publisher: ConfirmPublisher): Promise<void> {
  for (const { kind, queue, reason } of await publisher.examine()) {
    if (kind === 'transient') complain(`queue "${queue}" will lose messages: ${reason}`)
  }
}

/** Resolves with an exit code when a signal leaves nothing to wait for. */
function left(run: PublishRun, signals: Signals): Promise<number> {
  return new Promise((resolve) => {
    signals.listen({
      end(signal) {
        if (run.stop(signal)) {
          complain(`${signal}: nothing more is sent; what is sent is waited for`)
          return
        }
        complain(`stopped: ${signal}, before anything was sent`)
        resolve(EXIT.incomplete)
      },
      leave(signal) {
        complain(`${signal} again: leaving at once; what is not confirmed may be in the queue all the same`)
        resolve(EXIT.incomplete)
      },
      hangUp: (signal) => complain(`${signal} is ignored; SIGINT, SIGTERM and SIGQUIT stop`),
      ignore: (signal) => complain(`${signal} is ignored; SIGINT, SIGTERM and SIGQUIT stop`),
    })
  })
}

/** One run: from the first message to the count at the end. */
class PublishRun {
  readonly #config: PublishConfig
  readonly #publisher: ConfirmPublisher
  readonly #inFlight = new InFlightLimit(UNCONFIRMED)
  readonly #progress: Progress
  #published = 0
  #refused = 0
  /** Sent, and nobody knows whether it arrived. */
  #unsure = 0
  #begun = false
  /** Ends a wait for our readers. */
  #wake: () => void = () => {}
  readonly #headers: ReturnType<typeof textFields>
  /** Why no more is sent. */
  #stopped: { readonly reason: string; readonly exitCode: number } | undefined

  constructor(config: PublishConfig, publisher: ConfirmPublisher) {
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
    this.#publisher
      .publish({
        queue,
        properties: { ...others, messageId, timestamp, deliveryMode: 2 },
        headers: this.#headers,
        body: message.body,
      })
      .then(
        () => this.#succeed(message, messageId),
        (error: Error) => this.#fail(message, error),
      )
      .finally(() => this.#inFlight.leave(length))
  }

  #succeed(message: SourceMessage, messageId: string): void {
    this.#published += 1
    if (this.#config.verbose) say(`${message.label} ${messageId} ${excerpt(message.body)}`)
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
    say(`${this.#published} published to "${this.#config.queue}"${leftOut}`)
    return this.#stopped?.exitCode ?? (this.#refused > 0 ? EXIT.badInput : EXIT.done)
  }
}

function excerpt(body: Buffer): string {
  const text = body.toString('utf8', 0, SHOWN_BODY)
  return body.length > SHOWN_BODY ? `${text}...` : text
}
