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
  #replayed = 0
  #refused = 0
  #doubled = 0
  #unsure = 0

  constructor(task: Pick<Task, 'clear' | 'stop' | 'watch'>) {
    this.#task = task
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

  /** Says what has become of all. */
  tell(done = 'replayed'): void {
    this.#task.clear()
    if (this.#doubled > 0)
      complain(
        `in their queue, and perhaps among the dead letters as well, since the connection has ended: ${this.#doubled}`,
      )
    if (this.#unsure > 0)
      complain(
        `among the dead letters, and perhaps in their queue as well, which has not confirmed them: ${this.#unsure}`,
      )
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
