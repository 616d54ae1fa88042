/** Requests after which no child went on working, before a connection is kept. */
const PROBATION = 20
/** The same once one did. */
const PROBATION_AFTER_BREACH = 1_000

/**
 * Whether connections may be kept. A script that calls fastcgi_finish_request() goes on after its answer; php-fpm's child is
 * then not there for the next request on its connection, and nothing tells. Without FCGI_KEEP_CONN it does tell: it closes when
 * it is done. So the first requests, and the last one on each connection, go without, and it is seen whether the end follows the
 * answer.
 */
export class ReuseTrust {
  #promptEnds = 0
  #probation: number

  /** @param probation of requests; 20 by default */
  constructor(probation = PROBATION) {
    this.#probation = probation
  }

  get given(): boolean {
    return this.#promptEnds >= this.#probation
  }

  /** A child was done with its answer. */
  confirm(): void {
    this.#promptEnds += 1
  }

  /** A child went on after its answer. */
  breach(): void {
    this.#promptEnds = 0
    this.#probation = PROBATION_AFTER_BREACH
  }
}
