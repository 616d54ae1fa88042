import { BrokerList } from '../amqp/broker-list.ts'
import type { Commanding } from '../amqp/control-link.ts'
import { ControlQueue } from '../amqp/control-queue.ts'
import { type BackoffRange, backoff, pause } from '../bridge/backoff.ts'
import type { Tell } from '../bridge/events.ts'
import type { ControlDesk } from '../bridge/ports.ts'
import { answerTo } from '../bridge/reply-message.ts'
import { commandRefusal } from '../bridge/reply-target.ts'
import type { ProcessConfig } from '../config/process-config.ts'
import { CONTROL_EXCHANGE, type Command, type DaemonReport, type Verb } from '../control/protocol.ts'
import { readCommand } from '../control/read-command.ts'
import { Failures } from '../observe/failures.ts'
import type { PoolView } from '../observe/views.ts'
import type { Bridge } from './bridge.ts'
import type { BridgeControl } from './bridge-control.ts'
import { Drains } from './drains.ts'
import { IgnoredCommands } from './ignored-commands.ts'
import { PoolSights } from './pool-sights.ts'
import { reportOf } from './report.ts'
import type { ProcessConnections } from './surroundings.ts'

/** As a session with the broker. */
const LINK_DELAY: BackoffRange = { min: 100, max: 2_000 }

/** Commands that wait for those before them; pings do not. */
const MAX_WAITING = 100

/** Milliseconds that an answer waits for what has not started to have gone back: that nothing starts is so at once. */
const PATIENCE = 300

/** Milliseconds that an answer waits for a reload, which may wait for a broker. */
const RELOAD_PATIENCE = 10_000

/** What the verbs act on. */
export interface Controlled {
  /** Those that have not ended. */
  readonly bridges: readonly Bridge[]
  /** Theirs, each once. */
  readonly pools: readonly PoolView[]
  readonly isEnding: boolean
  /** Resolves with why it has not been done, when it has not. */
  reload(): Promise<string | undefined>
  shutDown(): void
}

/** What operators can tell a process by way of the broker: the one implementation of the verbs. It is loaded only where somebody wants it. */
export class Control implements ControlDesk {
  readonly drains = new Drains()
  readonly failures = new Failures()
  readonly #pools = new PoolSights()
  readonly #process: Pick<ProcessConfig, 'daemonId'> & { readonly version: string }
  readonly #controlled: Controlled
  readonly #queue: ControlQueue
  readonly #ignored: IgnoredCommands
  readonly #tell: Tell
  #turn: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(
    { brokers, daemonId }: ProcessConfig,
    version: string,
    connections: ProcessConnections,
    controlled: Controlled,
    tell: Tell,
  ) {
    this.#process = { daemonId, version }
    this.#controlled = controlled
    this.#tell = tell
    this.#ignored = new IgnoredCommands(tell)
    this.#queue = new ControlQueue(
      {
        // What is wrong with brokers the bridges tell.
        brokers: new BrokerList(brokers, () => {}),
        connections: connections.publishing,
        exchange: CONTROL_EXCHANGE,
        delay: (attempt) => backoff(attempt, LINK_DELAY),
      },
      (commanding) => this.#hear(commanding),
      tell,
    )
  }

  /** From now on it hears commands. Without a broker, or a permission, it tries again; nothing waits for it. */
  start(): void {
    this.#queue.start()
  }

  async close(): Promise<void> {
    this.#ignored.close()
    await this.#queue.close()
  }

  report(): Buffer {
    return Buffer.from(JSON.stringify(this.#report({})))
  }

  answerRefusal(replyTo: string): string | undefined {
    return commandRefusal(
      replyTo,
      this.#controlled.bridges.map(({ config }) => config),
    )
  }

  shutDown(): void {
    this.#controlled.shutDown()
  }

  #hear(commanding: Commanding): void {
    const read = readCommand(commanding)
    if (read.kind === 'ignored') {
      this.#ignored.add(read.reason)
      return
    }
    const { verb, command } = read
    if (!this.#isFor(command)) return
    if (verb === 'ping') this.#answer(commanding, this.#report(command))
    else if (this.#waiting >= MAX_WAITING) this.#ignored.add(`${MAX_WAITING} commands wait before ${verb}`)
    else {
      this.#waiting += 1
      this.#turn = this.#turn.then(async () => {
        this.#answer(commanding, await this.#obey(verb, command))
        this.#waiting -= 1
      })
    }
  }

  #isFor({ daemon, queue }: Command): boolean {
    if (daemon !== undefined && daemon !== this.#process.daemonId) return false
    return queue === undefined || this.#bridges(queue).length > 0
  }

  /** All, or those of a queue. */
  #bridges(queue: string | undefined): readonly Bridge[] {
    const { bridges } = this.#controlled
    return queue === undefined ? bridges : bridges.filter(({ config }) => config.queue === queue)
  }

  async #obey(verb: Verb, command: Command): Promise<DaemonReport> {
    this.#tell({ kind: 'commanded', verb, queue: command.queue })
    // It takes nothing any more, and never will.
    const error = this.#controlled.isEnding ? 'this process is about to end' : await this.#do(verb, command)
    return this.#report(command, error)
  }

  /** @returns why it is not done, or not yet */
  async #do(verb: Verb, { queue }: Command): Promise<string | undefined> {
    switch (verb) {
      case 'ping':
        return undefined
      case 'pause':
        return this.#look(queue)
      case 'resume':
        this.drains.end(queue)
        for (const control of this.#controls(queue)) control.resume()
        return this.#look(queue)
      case 'drain':
        this.drains.begin(queue)
        for (const control of this.#controls(queue)) control.drain()
        await this.#rest(queue)
        return undefined
      case 'reload':
        return within(
          RELOAD_PATIENCE,
          this.#controlled.reload(),
          'it is still being read, and its bridges begin',
        )
    }
  }

  async #look(queue: string | undefined): Promise<string | undefined> {
    const unknown = await Promise.all(this.#controls(queue).map((control) => control.look()))
    await this.#rest(queue)
    return unknown.find((reason) => reason !== undefined)
  }

  async #rest(queue: string | undefined): Promise<void> {
    const rested = Promise.all(this.#controls(queue).map((control) => control.rested))
    await within<unknown>(PATIENCE, rested, undefined)
  }

  #controls(queue: string | undefined): readonly BridgeControl[] {
    return this.#bridges(queue).flatMap(({ control }) => (control === undefined ? [] : [control]))
  }

  #report({ queue, detail }: Command, error?: string): DaemonReport {
    const bridges = this.#bridges(queue).map(({ view, sight }) => ({
      view,
      rate: sight?.perSecond ?? 0,
      ageOfLast: sight?.ageOfLast,
    }))
    if (detail !== true) return reportOf(this.#process, bridges, error)
    const pools = this.#pools.look(this.#controlled.pools)
    return reportOf(this.#process, bridges, error, { pools, failures: this.failures.latest })
  }

  /** What is no address of somebody who waits gets no answer, without a word: whoever has asked knows what it was. */
  #answer({ replyTo, correlationId }: Commanding, report: DaemonReport): void {
    if (replyTo === undefined || replyTo === '') return
    const refusal = this.answerRefusal(replyTo)
    if (refusal === undefined)
      this.#queue.answer(answerTo(replyTo, correlationId, Buffer.from(JSON.stringify(report))))
    else this.#ignored.add(refusal)
  }
}

/** @returns what came in time, or `late` */
async function within<T>(milliseconds: number, what: Promise<T>, late: T): Promise<T> {
  const enough = new AbortController()
  const first = await Promise.race([what, pause(milliseconds, enough.signal).then(() => late)])
  enough.abort()
  return first
}
