import { BrokerError } from '../../amqp/broker-error.ts'
import { BrokerList } from '../../amqp/broker-list.ts'
import type { QueueFacts } from '../../amqp/queue-facts.ts'
import { complain, taken } from '../../command-line/output.ts'
import { Progress } from '../../command-line/progress.ts'
import type { Signals } from '../../command-line/signals.ts'
import {
  type DeadLettersConfig,
  type LetterAction,
  readDeadLettersConfig,
} from '../../config/dead-letters-config.ts'
import { logLines } from '../../observe/log-lines.ts'
import { createLogger } from '../../observe/logger.ts'
import { BadEdit } from '../../operate/dead-letters/edit-text.ts'
import { TooLarge } from '../../operate/dead-letters/letter-text.ts'
import { NoSuchChoice } from '../../operate/dead-letters/named.ts'
import { type Place, placeOf } from '../../operate/dead-letters/place.ts'
import type { TakeWatch } from '../../operate/dead-letters/take.ts'
import { LooksUsedUp, type Walked } from '../../operate/dead-letters/walk.ts'
import type { Invocation } from '../command.ts'
import { complainOfUnread } from '../tell-unread.ts'
import { briefLine } from './letter-table.ts'

/** sysexits */
export const EXIT = { done: 0, badInput: 65, unavailable: 69, incomplete: 75, configuration: 78 } as const

/** What an action gets. */
export interface Task {
  readonly config: DeadLettersConfig
  readonly place: Place
  /** Somebody has asked for the end. */
  readonly signal: AbortSignal
  /** Says beforehand what a look costs, and shows how far it is. */
  readonly watch: TakeWatch
  /** From now on a signal waits for what is on its way; a walk says so by itself. */
  begin(): void
  /** To be called before anything is said. */
  clear(): void
  /** Ends it, as a signal does. */
  stop(reason: string): void
}

/** Resolves with the exit code. */
export type Act = (task: Task) => Promise<number>

/**
 * What all actions have in common: a connection to the broker, and an end of it.
 *
 * @throws {OptionError}
 */
export async function withPlace(
  { options, unread, signals }: Invocation,
  action: LetterAction,
  words: readonly string[],
  actOf: (action: LetterAction) => Act,
): Promise<number> {
  const config = readDeadLettersConfig(options(), action, words)
  complainOfUnread(unread)
  const tell = logLines(createLogger({ level: 'warn', format: 'text', stream: process.stderr, fields: {} }))
  const brokers = new BrokerList(config.brokers, tell)
  brokers.warnOfInsecure()
  const place = placeOf(brokers, config.queue, config.deliveryLimit, tell)
  const end = new AbortController()
  const screen = new Screen(action)
  const stop = (reason: string): void => {
    if (!end.signal.aborted) end.abort(reason)
  }
  const { signal } = end
  const [begin, clear] = [() => screen.begin(), () => screen.clear()]
  const task = { config, place, signal, watch: screen, begin, clear, stop }
  const complete = async (): Promise<number> => {
    try {
      const exitCode = await actOf(action)(task)
      // A pager, or a pipe, has the time that it needs; who does not wait for it stops us.
      const wasStopped = signal.aborted
      const isTaken = await Promise.race([taken(process.stdout).then(() => true), aborted(signal)])
      if (isTaken || wasStopped) return exitCode
      complain('stopped: all is done, and not all of the output has been read')
      return EXIT.incomplete
    } catch (error) {
      screen.clear()
      return exitCodeOf(error)
    } finally {
      await place.publisher.close()
    }
  }
  return Promise.race([complete(), left(signals, screen, stop)])
}

/** Resolves with false when it is. */
function aborted(signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false)
    else signal.addEventListener('abort', () => resolve(false))
  })
}

/** A look costs what it costs: nobody should learn that afterwards. */
class Screen implements TakeWatch {
  readonly #action: LetterAction
  #progress: Progress | undefined
  #begun = false

  constructor(action: LetterAction) {
    this.#action = action
  }

  get begun(): boolean {
    return this.#begun
  }

  begin(): void {
    this.#begun = true
  }

  onFacts({ name, messages, consumers, type, deliveryLimit }: QueueFacts): void {
    // An edit looks twice.
    const again = this.#begun
    this.begin()
    if (again || messages === 0) return
    if (consumers > 0)
      complain(
        `"${name}" has consumers (${consumers}): what they have taken is not seen, and what they take meanwhile is left out`,
      )
    if (type === 'quorum') {
      const limit = Number.isFinite(deliveryLimit)
        ? `; what comes back more than ${deliveryLimit} times is dropped`
        : ''
      complain(
        `"${name}" is a quorum queue: each letter that is looked at counts as delivered once more${limit} (a limit set by policy cannot be seen: give it with --delivery-limit)`,
      )
    }
    // Where both go to a terminal, lines and a bar would be in each other's way.
    const isQuiet = this.#action !== 'replay' || !process.stdout.isTTY
    if (isQuiet) this.#progress = new Progress(process.stderr, messages)
  }

  onSeen(seen: number): void {
    this.#progress?.update(seen)
  }

  clear(): void {
    this.#progress?.clear()
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof NoSuchChoice) {
    complain(error.message)
    for (const letter of error.candidates) complain(`  ${briefLine(letter)}`)
    return EXIT.badInput
  }
  if (error instanceof BadEdit || error instanceof TooLarge) {
    complain(error.message)
    return EXIT.badInput
  }
  if (error instanceof LooksUsedUp) {
    complain(error.message)
    return EXIT.configuration
  }
  if (!(error instanceof BrokerError)) throw error
  complain(error.message)
  return error.permanent ? EXIT.configuration : EXIT.unavailable
}

/** @returns 75 where it was stopped; otherwise what is given */
export function exitCodeAfter({ ending, seen, facts }: Walked, otherwise: number): number {
  if (ending === 'stopped') {
    complain('stopped: letters that nothing was said of are where they were')
    return EXIT.incomplete
  }
  if (ending === 'dry')
    complain(`${facts.messages - seen} letters fewer than at the start: somebody else has taken them`)
  return otherwise
}

function left(signals: Signals, screen: Screen, stop: (reason: string) => void): Promise<number> {
  return new Promise((resolve) => {
    const ignore = (signal: NodeJS.Signals): void =>
      complain(`${signal} is ignored; SIGINT, SIGTERM and SIGQUIT stop`)
    signals.listen({
      end(signal) {
        screen.clear()
        stop(signal)
        if (screen.begun) return complain(`${signal}: what is on its way is waited for`)
        complain(`stopped: ${signal}, before anything was done`)
        resolve(EXIT.incomplete)
      },
      leave(signal) {
        complain(`${signal} again: leaving at once; what has been named may be in both queues`)
        resolve(EXIT.incomplete)
      },
      hangUp: ignore,
      toggleDebug: ignore,
      ignore,
    })
  })
}
