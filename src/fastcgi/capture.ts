/** One for all: an allocation costs a quarter of a microsecond, even of nothing. */
const EMPTY = Buffer.alloc(0)

/**
 * The first bytes of a stream; the rest is dropped. They are copied into one buffer that grows: a script that flushes
 * byte by byte sends a record for each, and as many small buffers would take a hundred times their content.
 */
export class Capture {
  readonly #limit: number
  #buffer = EMPTY
  #kept = 0
  truncated = false

  constructor(limit: number) {
    this.#limit = limit
  }

  get isEmpty(): boolean {
    return this.#kept === 0
  }

  take(piece: Buffer): void {
    const kept = Math.min(piece.length, this.#limit - this.#kept)
    if (kept < piece.length) this.truncated = true
    if (this.#kept + kept > this.#buffer.length) this.#grow(this.#kept + kept)
    this.#kept += piece.copy(this.#buffer, this.#kept, 0, kept)
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#kept)
  }

  text(): string {
    return this.#buffer.toString('utf8', 0, this.#kept)
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.min(this.#limit, Math.max(needed, 2 * this.#buffer.length)))
    this.#buffer.copy(larger, 0, 0, this.#kept)
    this.#buffer = larger
  }
}
