import type { StreamEnd } from './stream-events.ts'

/** Bytes of a worker's last word that are kept. */
const LAST_WORD_BYTES = 512

/** What a worker has said of itself, and so what is to be thought of it when its request ends. */
export class WorkerStanding {
  #hello: 'none' | 'late' | 'said' = 'none'
  #hasAnswered = false
  /** Whether it has ended by itself, or talked nonsense, and has given no answer before. */
  #isUseless = false
  #lastWord: string | undefined

  get hasSaidHello(): boolean {
    return this.#hello !== 'none'
  }

  get hasSaidLastWord(): boolean {
    return this.#lastWord !== undefined
  }

  get lastWord(): string | undefined {
    return this.#lastWord
  }

  /** @param inTime whether somebody still waited for it */
  noteHello(inTime: boolean): void {
    this.#hello = inTime ? 'said' : 'late'
  }

  noteAnswer(): void {
    this.#hasAnswered = true
  }

  noteNonsense(): void {
    this.#isUseless = !this.#hasAnswered
  }

  /** @param unasked whether it ends though messages might have come */
  noteLastWord(content: Buffer, unasked: boolean): string {
    this.#isUseless = unasked && !this.#hasAnswered
    this.#lastWord = content.toString('utf8', 0, LAST_WORD_BYTES)
    return this.#lastWord
  }

  /** @param isUnread whether nobody has read the request */
  endedAs(isUnread: boolean): StreamEnd {
    if (this.#hello === 'late') return 'late'
    if (this.#hello === 'none') return isUnread ? 'unread' : 'silent'
    return this.#isUseless ? 'useless' : 'served'
  }
}
