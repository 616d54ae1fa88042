import { clearLine, cursorTo } from 'node:readline'
import type { WriteStream } from 'node:tty'

/** Milliseconds between two pictures. */
const INTERVAL = 100
const MAX_BAR = 40

/** A line on a terminal that shows how far it is; anywhere else nothing. */
export class Progress {
  readonly #stream: WriteStream | undefined
  readonly #total: number | undefined
  #drawn = 0

  /** @param total undefined when nobody knows */
  constructor(stream: WriteStream, total: number | undefined) {
    this.#stream = stream.isTTY ? stream : undefined
    this.#total = total
  }

  update(done: number): void {
    const now = performance.now()
    if (this.#stream === undefined || (now - this.#drawn < INTERVAL && done !== this.#total)) return
    this.#drawn = now
    cursorTo(this.#stream, 0)
    this.#stream.write(this.#picture(done, this.#stream.columns))
    clearLine(this.#stream, 1)
  }

  /** Leaves an empty line for what is said next. */
  clear(): void {
    if (this.#stream === undefined) return
    cursorTo(this.#stream, 0)
    clearLine(this.#stream, 0)
  }

  #picture(done: number, columns: number): string {
    if (this.#total === undefined) return `${done} published`
    const count = ` ${done}/${this.#total}`
    const width = Math.min(MAX_BAR, columns - count.length - 3)
    if (width < 1) return count
    const full = Math.round((width * done) / this.#total)
    return `[${'#'.repeat(full)}${'-'.repeat(width - full)}]${count}`
  }
}
