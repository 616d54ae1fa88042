import type { Writable } from 'node:stream'

/** Milliseconds that a line may wait for others. */
const DELAY = 50
/** Characters that may wait for others. */
const SIZE = 16 * 1024

/** Bytes that a pipe takes as a whole or not at all: PIPE_BUF of Linux. What is longer may be mixed with what others write. */
const ATOMIC = 4_096

/**
 * Characters that may wait in the stream for somebody to read them, before a line is dropped. What matters most is
 * dropped last; after a first drop, there has to be some room again.
 */
const UNREAD = { important: 2 * 1024 ** 2, other: 1024 ** 2, afterDrop: 512 * 1024 } as const

/**
 * Gathers lines and writes them together: a write for each line would cost more than the rest of a message's way
 * through the daemon. After a quiet time, lines are written at the end of their turn of the event loop; others wait for up to
 * 50 ms, and no longer than until the process exits. A SIGKILL in between takes those lines along.
 *
 * A pipe whose reader stands still costs lines, not memory without bound: they are counted.
 */
export class LineBuffer {
  readonly #target: Writable
  readonly #tellDropped: (lines: number) => void
  readonly #isShared: boolean
  #bytes = 0
  #text = ''
  /** Until the end of this turn. */
  #soon: NodeJS.Immediate | undefined
  /** For a while after a write, in which others wait. */
  #rest: NodeJS.Timeout | undefined
  #dropped = 0

  /**
   * @param tellDropped is told how many lines are missing, as soon as there is room for a line about it
   * @param isShared whether other processes write to the same pipe, whose lines must not mix with these
   */
  constructor(target: Writable, tellDropped: (lines: number) => void, isShared = false) {
    this.#target = target
    this.#tellDropped = tellDropped
    this.#isShared = isShared
    // What waits in the stream must not be put together again either.
    if (isShared) Object.assign(target, { _writev: null })
    target.on('drain', () => this.#confess())
  }

  /**
   * @param line without its end
   * @param important whether it is dropped later than others
   */
  add(line: string, important: boolean): void {
    const unread = this.#target.writableLength
    if (this.#dropped > 0 && unread <= UNREAD.afterDrop) this.#confess()
    const { afterDrop, other } = UNREAD
    if (unread > (important ? UNREAD.important : this.#dropped > 0 ? afterDrop : other)) {
      this.#dropped += 1
      return
    }
    if (this.#isShared) {
      const bytes = Buffer.byteLength(line) + 1
      if (this.#bytes + bytes > ATOMIC) this.flush()
      this.#bytes += bytes
    }
    this.#text += `${line}\n`
    if (this.#text.length >= SIZE) this.flush()
    else {
      waiting.add(this)
      // Not unref'd: an event loop that has nothing else to do would wait for the next event first.
      if (this.#rest === undefined) this.#soon ??= setImmediate(() => this.flush())
    }
  }

  /** Writes what waits, now. */
  flush(): void {
    clearImmediate(this.#soon)
    this.#soon = undefined
    waiting.delete(this)
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    this.#bytes = 0
    this.#target.write(text)
    this.#rest ??= setTimeout(() => {
      this.#rest = undefined
      this.flush()
    }, DELAY).unref()
  }

  #confess(): void {
    const dropped = this.#dropped
    this.#dropped = 0
    if (dropped > 0) this.#tellDropped(dropped)
  }
}

/** Writes the lines of all buffers. */
export function flushLines(): void {
  for (const buffer of waiting) buffer.flush()
}

/** Those with lines that wait. They share one listener: Node.js takes more than ten for a leak. */
const waiting = new Set<LineBuffer>()
process.on('exit', flushLines)
