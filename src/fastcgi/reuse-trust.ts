/** Requests after which no child went on working, before a connection is kept. */
const PROBATION = 20
/** The same once one did. */
const PROBATION_AFTER_BREACH = 1_000

/**
 * Whether connections may be kept. A script that calls fastcgi_finish_request() goes on after its answer; php-fpm's child is
 * then not there for the next request on its connection, and nothing tells: without FCGI_KEEP_CONN it even closes at once, as
 * after any other answer (main/fastcgi.c, fcgi_close). With it, the child that is done waits for the next request, and closes
 * when it finds our end of the connection instead; one that is not does so later. So the first connections, and each after its
 * last request, are ended by us, and it is seen whether the pool's end follows.
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
