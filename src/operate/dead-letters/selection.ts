import { groupIdOf, isGroupId } from './groups.ts'
import type { DeadLetter } from './letter.ts'

/** Which letters are meant: those that meet all of it. */
export interface Selection {
  /** Ids, or the beginnings of them, message ids, and ids of groups; none: any. */
  readonly words: readonly string[]
  /** A part of the reason, in any case. */
  readonly reason: string | undefined
  /** Milliseconds since the epoch: dead since then, or before then. */
  readonly since: number | undefined
  readonly until: number | undefined
}

/** Fewer digits than that would name letters by chance. */
const LEAST_DIGITS = 4

/** Knows the letters that are meant, and for what word each. */
export class Selector {
  readonly #selection: Selection
  readonly #groups: ReadonlySet<string>
  readonly #words: readonly string[]
  readonly #reason: string | undefined
  /** Those that no letter has been of. */
  readonly #unseen: Set<string>

  constructor(selection: Selection) {
    this.#selection = selection
    this.#groups = new Set(selection.words.filter(isGroupId))
    this.#words = selection.words.filter((word) => !isGroupId(word))
    this.#reason = selection.reason?.toLowerCase()
    this.#unseen = new Set(this.#groups)
  }

  get hasGroups(): boolean {
    return this.#groups.size > 0
  }

  /** Words that name a letter each; what they mean is known when all letters have been seen. */
  get words(): readonly string[] {
    return this.#words
  }

  /** By what it is, whatever words name it. */
  admits(letter: DeadLetter): boolean {
    const { since, until } = this.#selection
    if (this.#reason !== undefined && !letter.reason?.toLowerCase().includes(this.#reason)) return false
    if (since === undefined && until === undefined) return true
    // Of one whose time nobody knows nobody can say that it is in time.
    if (letter.time === undefined) return false
    return letter.time >= (since ?? letter.time) && letter.time <= (until ?? letter.time)
  }

  /** Whether it is meant at once: by nothing but what it is, or as one of a group. */
  includes(letter: DeadLetter): boolean {
    if (!this.admits(letter)) return false
    if (this.#selection.words.length === 0) return true
    if (this.#groups.size === 0) return false
    const group = groupIdOf(letter)
    this.#unseen.delete(group)
    return this.#groups.has(group)
  }

  /** Groups that no letter has been of, when all have been seen. */
  get emptyGroups(): readonly string[] {
    return [...this.#unseen]
  }

  /** The words that name it. */
  namesOf(letter: DeadLetter): readonly string[] {
    if (this.#words.length === 0) return []
    return this.#words.filter((word) => word === letter.messageId || isPrefix(word, letter.id))
  }
}

function isPrefix(word: string, id: string): boolean {
  return word.length >= LEAST_DIGITS && id.startsWith(word.toLowerCase())
}
