/** Why we end a request ourselves. */
export type EndCode = 'TIMEOUT' | 'CANCELLED'

/**
 * Ends a request before the pool does. An AbortController would do, but costs several microseconds a request: there
 * is one only where the request has to wait for a connection.
 */
export class RequestAbort {
  #code: EndCode | undefined
  #controller: AbortController | undefined
  #onEnd: (() => void) | undefined

  /** Undefined while the request goes on. */
  get code(): EndCode | undefined {
    return this.#code
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#code !== undefined) this.#controller.abort()
    return this.#controller.signal
  }

  /** Sets what is done at the end, at once if that has come; undefined: nothing any more. */
  set onEnd(callback: (() => void) | undefined) {
    this.#onEnd = callback
    if (this.#code !== undefined) callback?.()
  }

  /** The first code counts. */
  end(code: EndCode): void {
    if (this.#code !== undefined) return
    this.#code = code
    this.#onEnd?.()
    this.#controller?.abort()
  }
}
