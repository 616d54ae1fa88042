import type { FormBytes } from './form-bytes.ts'
import { type Member, type Members, NONE } from './form-members.ts'
import { KeyTable } from './key-table.ts'

/** With so many members and fewer, looking at all of them is faster than a table of their keys; unless these are long. */
const FEW = 32
/** Bytes. */
const LONG = 4 * 1024

/** The members of one object that is open, each with a key of its own. */
export class OpenObject {
  readonly #members: Members
  readonly #keys: FormBytes
  #latest: Member = NONE
  #count = 0
  #table: KeyTable | undefined
  /** How many members, duplicates and bytes of keys there were before it. */
  #membersBefore = 0
  #duplicatesBefore = 0
  #keysBefore = 0

  constructor(members: Members, keys: FormBytes) {
    this.#members = members
    this.#keys = keys
  }

  open(): void {
    this.#latest = NONE
    this.#count = 0
    this.#table = undefined
    this.#membersBefore = this.#members.count
    this.#keysBefore = this.#keys.length
    this.#duplicatesBefore = this.#members.duplicates
  }

  /** Its keys matter no longer, nor do its members, unless there is something to replace within. */
  close(): void {
    this.#keys.truncate(this.#keysBefore)
    if (this.#members.duplicates === this.#duplicatesBefore) this.#members.truncate(this.#membersBefore)
  }

  /** @returns the member that has the key already; where there is none, the new member is added */
  addOrFind(member: Member): Member {
    const found =
      this.#table === undefined
        ? this.#members.find(member, this.#latest, this.#keys)
        : this.#table.addOrFind(member, this.#keys)
    if (found !== NONE) return found
    this.#members.follow(member, this.#latest)
    this.#latest = member
    this.#count += 1
    if (this.#table === undefined && (this.#count > FEW || this.#isLong(member))) {
      this.#table = this.#tableOfAll()
    }
    return NONE
  }

  #isLong(member: Member): boolean {
    return this.#members.keyTo(member) - this.#members.keyFrom(member) > LONG
  }

  #tableOfAll(): KeyTable {
    const table = new KeyTable(this.#members)
    for (let member = this.#latest; member !== NONE; member = this.#members.previous(member)) {
      table.addOrFind(member, this.#keys)
    }
    return table
  }
}
