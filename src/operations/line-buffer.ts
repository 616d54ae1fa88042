import { Writable } from 'node:stream'

/** Milliseconds that a line may wait for others. */
const DELAY = 50
/** Bytes that may wait. */
const SIZE = 16 * 1024

/**
 * Gathers lines and writes them together: a write for each line would cost more than the rest of a message's way
 * through the daemon. What waits is written at the latest after 50 ms, and when the process exits; a SIGKILL in
 * between takes those lines along.
 */
export class LineBuffer extends Writable {
  readonly #target: NodeJS.WritableStream
  #lines: string[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined

  constructor(target: NodeJS.WritableStream) {
    super({ decodeStrings: false })
    this.#target = target
    process.once('exit', () => this.flush())
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    const line = String(chunk)
    this.#lines.push(line)
    this.#bytes += line.length
    if (this.#bytes >= SIZE) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), DELAY).unref()
    done()
  }

  /** Writes what waits, now. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#lines.length === 0) return
    this.#target.write(this.#lines.join(''))
    this.#lines = []
    this.#bytes = 0
  }
}
