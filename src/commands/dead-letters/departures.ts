import type { QueueFacts } from '../../amqp/queue-facts.ts'
import { complain } from '../../command-line/output.ts'
import { escapeInvisible } from '../../observe/invisible.ts'
import type { Departing, DepartureWatch } from '../../operate/dead-letters/departure.ts'
import type { DeadLetter } from '../../operate/dead-letters/letter.ts'
import type { TakeWatch } from '../../operate/dead-letters/take.ts'
import { EXIT, type Task } from './with-place.ts'

/** Lines about letters that stay; they are alike, mostly. */
const REFUSALS = 20

/** Says which letters are about to go, and counts what becomes of them. */
export class Departures implements DepartureWatch, TakeWatch {
  readonly #task: Pick<Task, 'clear' | 'stop' | 'watch'>
  readonly #isRehearsal: boolean
  #replayed = 0
  #refused = 0
  #doubled = 0
  #unsure = 0

  /** @param isRehearsal nothing is published */
  constructor(task: Pick<Task, 'clear' | 'stop' | 'watch'>, isRehearsal = false) {
    this.#task = task
    this.#isRehearsal = isRehearsal
  }

  onFacts(facts: QueueFacts): void {
    this.#task.watch.onFacts?.(facts)
  }

  onSeen(seen: number): void {
    this.#task.watch.onSeen?.(seen)
  }

  /** A line for each. Who cannot be told what may be twice must not have it twice. */
  async onDepart(letters: readonly Departing[]): Promise<boolean> {
    this.#task.clear()
    const isWritten = await written(`${letters.map(lineOf).join('\n')}\n`)
    if (!isWritten) this.#task.stop('nobody reads the output')
    return isWritten
  }

  onReplayed(): void {
    this.#replayed += 1
  }

  onRefused({ id }: Pick<DeadLetter, 'id'>, why: string): void {
    this.#refused += 1
    this.#task.clear()
    if (this.#refused <= REFUSALS) complain(`${id} stays: ${why}`)
    if (this.#refused === REFUSALS) complain('others that stay are counted, and not named')
  }

  onDoubled(): void {
    this.#doubled += 1
  }

  onUnsure(): void {
    this.#unsure += 1
  }

  /** How many are in their queue. */
  get arrived(): number {
    return this.#replayed + this.#doubled
  }

  /**
   * Says what has become of all when it is over, and what may have where it has failed.
   *
   * @throws what the walk throws
   */
  async follow<T>(walk: Promise<T>): Promise<T> {
    try {
      return await walk
    } catch (error) {
      // Nobody confirms an ack, and a broker that is killed forgets those that it has not written.
      if (this.#replayed > 0 && !this.#isRehearsal)
        complain('what was named last may be among the dead letters as well: look before you replay again')
      throw error
    } finally {
      this.#tell()
    }
  }

  #tell(): void {
    this.#task.clear()
    if (this.#doubled > 0)
      complain(
        `in their queue, and perhaps among the dead letters as well, since the connection has ended: ${this.#doubled}`,
      )
    if (this.#unsure > 0)
      complain(
        `among the dead letters, and perhaps in their queue as well, which has not confirmed them: ${this.#unsure}`,
      )
    const done = this.#isRehearsal ? 'would be replayed' : 'replayed'
    complain(`${this.#replayed} ${done}${this.#refused > 0 ? `, ${this.#refused} stay` : ''}`)
  }

  /** Where nothing else went wrong. */
  get exitCode(): number {
    return this.#refused + this.#doubled > 0 ? EXIT.incomplete : EXIT.done
  }
}

function lineOf({ letter: { id, messageId }, to }: Departing): string {
  return escapeInvisible(`${id}${messageId === undefined ? '' : ` ${messageId}`} -> ${to}`)
}

/** Resolves when whoever reads it can have it: with false when nobody can. */
function written(text: string): Promise<boolean> {
  return new Promise((resolve) => {
    process.stdout.write(text, (error) => resolve(error === null || error === undefined))
  })
}
