import { Socket } from 'node:net'
import { systemCodeOf } from './types.ts'

/** What a write fails with: of a connection over TCP that has been reset, the first one with the latter. */
const GONE: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ECONNRESET'])

/**
 * Reads on after a write that nobody was there for any more: what the peer has said before still lies in the socket, and
 * Node.js would throw it away with the connection. That ends when the reading does.
 */
export class ReadingSocket extends Socket {
  #peerGone = false

  /** Whether something was written that nobody has read. */
  get peerGone(): boolean {
    return this.#peerGone
  }

  override _write(chunk: unknown, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    super._write(chunk, encoding, (error) => done(this.#unlessPeerGone(error)))
  }

  override _writev(
    chunks: { chunk: unknown; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    super._writev?.(chunks, (error) => done(this.#unlessPeerGone(error)))
  }

  #unlessPeerGone(error: Error | null | undefined): Error | null | undefined {
    if (!GONE.has(systemCodeOf(error))) return error
    this.#peerGone = true
    return null
  }
}
