import type { Delivery } from '../../bridge/ports.ts'
import type { DeadLetter } from './letter.ts'
import type { Selector } from './selection.ts'

/** A letter with all of it. */
export interface WholeLetter {
  readonly letter: DeadLetter
  readonly delivery: Delivery
}

/** Letters that are held because a word names them, and their bytes. */
const MOST = 1_000
const MOST_BYTES = 256 * 1024 * 1024

/** A word that names no letter, or several that differ; nothing has been done then. */
export class NoSuchChoice extends Error {
  /** Those that were named, where they are too many. */
  readonly candidates: readonly DeadLetter[]

  constructor(message: string, candidates: readonly DeadLetter[] = []) {
    super(message)
    this.candidates = candidates
  }
}

/** Collects the letters that words name: what a word means is not known before all letters have been seen. */
export class NamedLetters {
  readonly #selector: Selector
  readonly #named: WholeLetter[] = []
  /** By word, the ids of those that it names. */
  readonly #ids = new Map<string, Set<string>>()
  #bytes = 0

  /** @throws {NoSuchChoice} for groups and letters together: groups are not waited for */
  constructor(selector: Selector) {
    if (selector.hasGroups && selector.words.length > 0)
      throw new NoSuchChoice(`name letters or groups, not both: "${selector.words[0]}" is no group`)
    this.#selector = selector
  }

  /** @returns whether a word names it @throws {NoSuchChoice} where the words name more than anybody can mean */
  offer(letter: DeadLetter, delivery: Delivery): boolean {
    const words = this.#selector.admits(letter) ? this.#selector.namesOf(letter) : []
    if (words.length === 0) return false
    for (const word of words) this.#ids.set(word, (this.#ids.get(word) ?? new Set()).add(letter.id))
    this.#named.push({ letter, delivery })
    this.#bytes += letter.bytes
    if (this.#named.length > MOST || (this.#named.length > 1 && this.#bytes > MOST_BYTES))
      throw new NoSuchChoice(`"${words[0]}" and the other words name more than ${MOST} letters, or 256 MiB`)
    return true
  }

  /**
   * To be asked when all have been offered. Letters that are alike in everything have one id: it names all of them.
   *
   * @throws {NoSuchChoice}
   */
  get letters(): readonly WholeLetter[] {
    for (const word of this.#selector.words) {
      const ids = this.#ids.get(word)
      if (ids === undefined) throw new NoSuchChoice(`no dead letter has the id or message id "${word}"`)
      if (ids.size > 1)
        throw new NoSuchChoice(
          `"${word}" names ${ids.size} dead letters; give more digits of the one that is meant`,
          this.#named.map(({ letter }) => letter).filter(({ id }) => ids.has(id)),
        )
    }
    return this.#named
  }
}
