import type { FormBytes } from './form-bytes.ts'
import { type Member, type Members, NONE } from './form-members.ts'

/** Members by their keys: a hash table with open addressing, of pairs of a hash and the member's number plus one. */
export class KeyTable {
  readonly #members: Members
  #pairs = new Int32Array(2 * 128)
  #count = 0

  constructor(members: Members) {
    this.#members = members
  }

  addOrFind(member: Member, keys: FormBytes): Member {
    const members = this.#members
    const hash = keys.hash(members.keyFrom(member), members.keyTo(member))
    const pairs = this.#pairs
    const mask = pairs.length - 1
    let at = (hash << 1) & mask
    for (; pairs[at + 1] !== 0; at = (at + 2) & mask) {
      if (pairs[at] !== hash) continue
      const other = (pairs[at + 1] as number) - 1
      if (members.sameKey(member, other, keys)) return other
    }
    pairs[at] = hash
    pairs[at + 1] = member + 1
    this.#count += 1
    if (this.#count * 4 > pairs.length) this.#grow()
    return NONE
  }

  #grow(): void {
    const pairs = this.#pairs
    const grown = new Int32Array(pairs.length * 2)
    const mask = grown.length - 1
    for (let from = 0; from < pairs.length; from += 2) {
      if (pairs[from + 1] === 0) continue
      const hash = pairs[from] as number
      let at = (hash << 1) & mask
      while (grown[at + 1] !== 0) at = (at + 2) & mask
      grown[at] = hash
      grown[at + 1] = pairs[from + 1] as number
    }
    this.#pairs = grown
  }
}
