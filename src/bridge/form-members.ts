import type { FormBytes } from './form-bytes.ts'

/** A member of a JSON object, and what became of it. Offsets of the JSON are unique to it, those of the form may be not. */
export interface Member {
  /** Where its key begins and its value ends in the JSON. */
  readonly start: number
  end: number
  /** Its pairs in the form: none, where there is nothing to say. */
  readonly from: number
  to: number
  /** The key, escaped, among the keys. */
  readonly keyFrom: number
  readonly keyTo: number
  /** The last member with the same key, where this is the first of several. */
  replacement: Member | undefined
  /** The member before it in the object, which has another key. */
  previous: Member | undefined
}

/** With so many members and fewer, looking at all of them is faster than a map of their keys. */
const FEW = 32

/** The members of one object, each with a key of its own. */
export class Members {
  readonly #keys: FormBytes
  #latest: Member | undefined
  #count = 0
  #byKey: Map<string, Member> | undefined

  constructor(keys: FormBytes) {
    this.#keys = keys
  }

  /** @returns the member that has the key already; without one, the new member is added */
  addOrFind(member: Member): Member | undefined {
    const found = this.#byKey === undefined ? this.#lookAtAll(member) : this.#byKey.get(this.#keyOf(member))
    if (found !== undefined) return found
    member.previous = this.#latest
    this.#latest = member
    this.#count += 1
    if (this.#byKey !== undefined) this.#byKey.set(this.#keyOf(member), member)
    else if (this.#count > FEW) this.#byKey = new Map(this.#all().map((each) => [this.#keyOf(each), each]))
    return undefined
  }

  #lookAtAll({ keyFrom, keyTo }: Member): Member | undefined {
    let member = this.#latest
    while (member !== undefined && !this.#keys.equal(keyFrom, keyTo, member.keyFrom, member.keyTo)) {
      member = member.previous
    }
    return member
  }

  #all(): Member[] {
    const all: Member[] = []
    for (let member = this.#latest; member !== undefined; member = member.previous) all.push(member)
    return all
  }

  #keyOf({ keyFrom, keyTo }: Member): string {
    return this.#keys.text(keyFrom, keyTo)
  }
}

/** What is to change in a form because of keys that came twice: the last value goes where the first one was. */
export class Duplicates {
  readonly #members: Member[] = []

  get none(): boolean {
    return this.#members.length === 0
  }

  add(first: Member, again: Member): void {
    if (first.replacement === undefined) this.#members.push(first)
    first.replacement = again
    this.#members.push(again)
  }

  /** Writes the form anew, as it is to be. */
  apply(form: FormBytes, to: FormBytes): void {
    this.#members.sort((one, other) => one.start - other.start)
    this.#write({ start: -1, end: Number.POSITIVE_INFINITY, from: 0, to: form.length }, form, to)
  }

  /** A part of the form, without what is replaced in it. */
  #write(part: Pick<Member, 'start' | 'end' | 'from' | 'to'>, form: FormBytes, to: FormBytes): void {
    let { from } = part
    let next = this.#firstAfter(part.start)
    for (let member = this.#members[next]; member !== undefined && member.start < part.end; ) {
      to.copy(form, from, member.from)
      if (member.replacement !== undefined) this.#write(member.replacement, form, to)
      from = member.to
      next = this.#firstAfter(member.end)
      member = this.#members[next]
    }
    to.copy(form, from, part.to)
  }

  /** The index of the first member that begins behind an offset of the JSON. */
  #firstAfter(offset: number): number {
    let low = 0
    let high = this.#members.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#members[middle] as Member).start > offset) high = middle
      else low = middle + 1
    }
    return low
  }
}
