import { createHash } from 'node:crypto'
import type { DeadLetter } from './letter.ts'

/** Dead letters that have failed in the same way. */
export interface LetterGroup {
  /** `g-` and 8 hex digits that follow from the next four. */
  readonly id: string
  readonly reason: string | undefined
  readonly status: number | undefined
  /** Or what it is about, where no script is known. */
  readonly script: string | undefined
  readonly exception: string | undefined
  count: number
  /** Milliseconds since the epoch, as far as that is known. */
  firstSeen: number | undefined
  lastSeen: number | undefined
}

type Alike = Pick<LetterGroup, 'reason' | 'status' | 'script' | 'exception'>

/** Reasons may have the number of a try in them, and so on: then there would be as many groups as letters. */
const MAX_GROUPS = 10_000

const ID = /^g-[0-9a-f]{8}$/

export function isGroupId(word: string): boolean {
  return ID.test(word)
}

export function groupIdOf(letter: DeadLetter): string {
  return idOf(likenessOf(letter))
}

/** Counts letters by what they have in common, in bounded memory. */
export class LetterGroups {
  readonly #groups = new Map<string, LetterGroup>()
  /** Of more groups than are kept. */
  #others = 0

  add(letter: DeadLetter): void {
    const alike = likenessOf(letter)
    const key = keyOf(alike)
    let group = this.#groups.get(key)
    if (group === undefined) {
      if (this.#groups.size >= MAX_GROUPS) {
        this.#others += 1
        return
      }
      group = { id: idOf(alike), ...alike, count: 0, firstSeen: undefined, lastSeen: undefined }
      this.#groups.set(key, group)
    }
    group.count += 1
    const { time } = letter
    if (time === undefined) return
    group.firstSeen = Math.min(group.firstSeen ?? time, time)
    group.lastSeen = Math.max(group.lastSeen ?? time, time)
  }

  /** Letters of groups that there was no room for. */
  get others(): number {
    return this.#others
  }

  /** The largest first. */
  get all(): readonly LetterGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.count - a.count)
  }
}

/** Numbers of more than three digits are of one letter: a line has fewer, and so has a status. */
function likenessOf({ reason, status, script, subject, exception }: DeadLetter): Alike {
  return { reason: reason?.replaceAll(/\d{4,}/g, '#'), status, script: script ?? subject, exception }
}

function keyOf({ reason, status, script, exception }: Alike): string {
  return JSON.stringify([reason, status, script, exception])
}

function idOf(alike: Alike): string {
  return `g-${createHash('sha256').update(keyOf(alike)).digest('hex').slice(0, 8)}`
}
