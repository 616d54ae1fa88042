import { setTimeout as sleep } from 'node:timers/promises'
import { formatPoolAddress, type PoolAddress } from './address.ts'
import { type PoolKind, readPoolStatus } from './pool-status.ts'
import { FastCgiError } from './types.ts'

/** Milliseconds that the status page gets: a child serves it, and all may be busy. */
const STATUS_TIMEOUT = 1_000
/** Milliseconds between two looks at the status page while nobody answers: doubling from the first to the second. */
const STATUS_PAUSE = { min: 10_000, max: 600_000 } as const

/** A pool that dies hangs up as well, until its last child is gone: so often it is asked, so many milliseconds apart. */
const LAST_CHILDREN = { looks: 5, pause: 50 } as const

/** Whether there is an answer to the question for the status page. A pool without the page is not asked for ever. */
type State =
  | { readonly kind: 'unanswered'; readonly nextLook: number; readonly pause: number }
  | { readonly kind: 'answered'; readonly poolKind: PoolKind | undefined }

const UNASKED: State = { kind: 'unanswered', nextLook: Number.NEGATIVE_INFINITY, pause: STATUS_PAUSE.min }

/** What a client knows of its pool, by asking for php-fpm's status page (`pm.status_path`), which never runs a script. */
export class PoolAcquaintance {
  readonly #address: PoolAddress
  readonly #statusPath: string
  #state: State = UNASKED
  #speaksFastCgi = false

  constructor(address: PoolAddress, statusPath: string) {
    this.#address = address
    this.#statusPath = statusPath
  }

  /** Undefined where the pool does not say so, or not yet. */
  get kind(): PoolKind | undefined {
    return this.#state.kind === 'answered' ? this.#state.poolKind : undefined
  }

  /** Whether a connect may ask for another child: it is ondemand, or nobody knows. */
  get mayGrow(): boolean {
    return this.kind !== 'static' && this.kind !== 'dynamic'
  }

  /** Somebody there has answered a request in FastCGI. */
  noteAnswer(): void {
    this.#speaksFastCgi = true
  }

  /** Asks in the background, when it is time to: no request waits for it. */
  lookAgain(): void {
    if (this.#state.kind === 'unanswered' && performance.now() >= this.#state.nextLook) void this.#ask()
  }

  /**
   * To be called when the pool is there, or there again. Perhaps it has another configuration now: one that had no page is asked
   * once more.
   *
   * @throws {FastCgiError} as requireFastCgi
   */
  async meet(): Promise<void> {
    if (!this.#speaksFastCgi) return this.requireFastCgi()
    if (this.kind === undefined) this.#state = UNASKED
    this.lookAgain()
  }

  /**
   * Finds out whether anybody there speaks FastCGI, once. One who does not answer in time may be a pool whose children are all
   * busy; and one who is gone after a request has failed may have been one, and have been executing it.
   *
   * @param failure what a request was answered with that was not answered in FastCGI
   * @throws {FastCgiError} NO_FASTCGI when what answers is something else, or hangs up on us
   */
  async requireFastCgi(failure?: unknown): Promise<void> {
    if (this.#speaksFastCgi) return
    const isAnswer = failure instanceof FastCgiError && failure.code === 'MALFORMED_ANSWER'
    let error = isAnswer ? failure : await this.#ask()
    for (let looks = 1; failure && isHangUp(error) && looks < LAST_CHILDREN.looks; looks += 1) {
      await sleep(LAST_CHILDREN.pause)
      error = await this.#ask()
    }
    if (error === undefined || error.code === 'TIMEOUT' || (failure && error.phase === 'connect')) return
    throw new FastCgiError(
      'NO_FASTCGI',
      'connect',
      `whoever listens at ${formatPoolAddress(this.#address)} does not answer in FastCGI (${isHangUp(error) ? 'it hangs up' : error.message}); --socket must be the \`listen\` of a pool whose \`listen.allowed_clients\` lets us in`,
      { cause: error },
    )
  }

  /** @returns why there was no answer in FastCGI */
  async #ask(): Promise<FastCgiError | undefined> {
    const { pause = STATUS_PAUSE.min } = this.#state as { readonly pause?: number }
    const nextPause = Math.min(2 * pause, STATUS_PAUSE.max)
    this.#state = { kind: 'unanswered', nextLook: performance.now() + pause, pause: nextPause }
    try {
      const status = await readPoolStatus(this.#address, this.#statusPath, STATUS_TIMEOUT)
      this.#speaksFastCgi = true
      this.#state = { kind: 'answered', poolKind: status?.kind }
      return undefined
    } catch (error) {
      if (!(error instanceof FastCgiError)) throw error
      if (REFUSALS.has(error.code)) this.#speaksFastCgi = true
      return this.#speaksFastCgi ? undefined : error
    }
  }
}

/** Answers in FastCGI, though none with a page. */
const REFUSALS: ReadonlySet<string> = new Set(['REQUEST_REFUSED', 'EMPTY_ANSWER'])

function isHangUp(error: FastCgiError | undefined): boolean {
  return error !== undefined && HANG_UPS.has(error.code)
}

const HANG_UPS: ReadonlySet<string> = new Set(['NOT_READ', 'SEND_FAILED', 'CONNECTION_LOST'])
