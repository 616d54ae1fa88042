import type { FormBytes } from './form-bytes.ts'
import { UnprocessableError } from './unprocessable.ts'

/** So many an array can have within PHP's default memory_limit of 128 MB; with the next power of two it is exceeded. */
const MAX_MEMBERS = 2 ** 20

/** A member of a JSON object, by its number in Members. */
export type Member = number
export const NONE: Member = -1

/** Members that apply() looks at between two yields. */
const YIELD_AFTER = 4_096

/** What is kept of a member, in 32 bits each. */
const FIELDS = 8
/** Its pairs in the form: none, where there is nothing to say. */
const [FROM, TO] = [0, 1]
/** The key, escaped, among the keys. */
const [KEY_FROM, KEY_TO] = [2, 3]
/** The member before it in the object, which has another key. */
const PREVIOUS = 4
/** The first member that begins behind its end. */
const NEXT = 5
/** The last member with the same key, where this is the first of several; itself, where another came before it. */
const REPLACEMENT = 6
/** Of its key: what tells it from most others at a glance. */
const PRINT = 7

/**
 * Members in the order in which they begin in the JSON. They are no objects of JavaScript, which would take twenty times the
 * memory of a short key in the heap.
 */
export class Members {
  #fields = new Int32Array(64 * FIELDS)
  #count = 0
  #duplicates = 0
  /** By apply(), so far. */
  #visited = 0

  get count(): number {
    return this.#count
  }

  /** How many of them came with a key that an earlier one of the same object has. */
  get duplicates(): number {
    return this.#duplicates
  }

  clear(): void {
    this.#count = 0
    this.#duplicates = 0
  }

  /** Forgets all but the first so many. */
  truncate(count: number): void {
    this.#count = count
  }

  begin(from: number, keyFrom: number, keyTo: number, print: number): Member {
    const member = this.#count
    const fields = this.#reserve(member)
    const at = member * FIELDS
    fields[at + FROM] = from
    fields[at + KEY_FROM] = keyFrom
    fields[at + KEY_TO] = keyTo
    fields[at + REPLACEMENT] = NONE
    fields[at + PRINT] = print
    this.#count += 1
    return member
  }

  end(member: Member, to: number): void {
    this.#fields[member * FIELDS + TO] = to
    this.#fields[member * FIELDS + NEXT] = this.#count
  }

  keyFrom(member: Member): number {
    return this.#fields[member * FIELDS + KEY_FROM] as number
  }

  keyTo(member: Member): number {
    return this.#fields[member * FIELDS + KEY_TO] as number
  }

  previous(member: Member): Member {
    return this.#fields[member * FIELDS + PREVIOUS] as Member
  }

  /** @returns the one with the key of a member, among another one and those that this follows */
  find(member: Member, latest: Member, keys: FormBytes): Member {
    const fields = this.#fields
    const print = fields[member * FIELDS + PRINT]
    let other = latest
    while (other !== NONE) {
      const at = other * FIELDS
      if (fields[at + PRINT] === print && this.sameKey(member, other, keys)) break
      other = fields[at + PREVIOUS] as Member
    }
    return other
  }

  sameKey(member: Member, other: Member, keys: FormBytes): boolean {
    const from = this.keyFrom(member)
    const to = this.keyTo(member)
    const otherFrom = this.keyFrom(other)
    return this.keyTo(other) - otherFrom === to - from && keys.equal(from, to, otherFrom)
  }

  follow(member: Member, previous: Member): void {
    this.#fields[member * FIELDS + PREVIOUS] = previous
  }

  /** The last value goes where the first one was. */
  replace(first: Member, again: Member): void {
    this.#fields[first * FIELDS + REPLACEMENT] = again
    this.#fields[again * FIELDS + REPLACEMENT] = again
    this.#duplicates += 1
  }

  /** Writes the form anew, without what was replaced; yields now and then. */
  apply(form: FormBytes, to: FormBytes): Generator<void> {
    return this.#write(0, this.#count, 0, form.length, form, to)
  }

  /** @param first of the members, up to `end`, within a part of the form */
  *#write(
    first: Member,
    end: Member,
    start: number,
    partEnd: number,
    form: FormBytes,
    to: FormBytes,
  ): Generator<void> {
    const fields = this.#fields
    let from = start
    let member = first
    while (member < end) {
      this.#visited += 1
      if (this.#visited % YIELD_AFTER === 0) yield
      const at = member * FIELDS
      const replacement = fields[at + REPLACEMENT] as Member
      if (replacement === NONE) {
        member += 1
        continue
      }
      to.copy(form, from, fields[at + FROM] as number)
      if (replacement !== member) {
        const [part, within] = [replacement * FIELDS, replacement + 1]
        const [partFrom, partTo] = [fields[part + FROM] as number, fields[part + TO] as number]
        yield* this.#write(within, fields[part + NEXT] as Member, partFrom, partTo, form, to)
      }
      from = fields[at + TO] as number
      member = fields[at + NEXT] as Member
    }
    to.copy(form, from, partEnd)
  }

  #reserve(member: Member): Int32Array {
    if ((member + 1) * FIELDS <= this.#fields.length) return this.#fields
    if (member === MAX_MEMBERS) {
      throw new UnprocessableError(`the JSON body has more than ${MAX_MEMBERS} members at once`)
    }
    const grown = new Int32Array(this.#fields.length * 2)
    grown.set(this.#fields)
    this.#fields = grown
    return grown
  }
}
