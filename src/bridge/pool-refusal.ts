import type { FastCgiResponse } from '../fastcgi/types.ts'

/**
 * What php-fpm itself answers when it finds no script or may not run it (sapi/fpm/fpm/fpm_main.c, main). The second 404
 * comes from a child that has executed the script before, and has its path in its realpath cache.
 */
const REFUSALS: ReadonlyMap<number, readonly string[]> = new Map([
  [404, ['File not found.\n', 'No input file specified.\n']],
  [403, ['Access denied.\n']],
])
/** The headers of such an answer; X-Powered-By is there with `expose_php`. */
const HEADERS: ReadonlySet<string> = new Set(['status', 'content-type', 'x-powered-by'])
/** Longer bodies are none of them. */
const MAX_BYTES = 40
/** What php-fpm itself writes to stderr then; what a script logs begins with `PHP message: `. */
const LINE =
  /(?:^|; |\n)(?:Primary script unknown|Unable to open primary script: |Access to the script '.*' has been denied)/

/** Whether it is php-fpm that says that it runs no script. Without `fastcgi.logging` its line is missing; then see looksLikeRefusal. */
export function isRefusal(response: FastCgiResponse): boolean {
  return looksLikeRefusal(response) && LINE.test(response.stderr)
}

/** An answer like php-fpm's own for a script that is missing or may not be run. */
export function looksLikeRefusal({ status, headers, body, bodyTruncated }: FastCgiResponse): boolean {
  const refusals = REFUSALS.get(status)
  if (refusals === undefined || bodyTruncated || body.length > MAX_BYTES) return false
  if (!refusals.includes(body.toString('latin1'))) return false
  return [...headers.keys()].every((name) => HEADERS.has(name))
}
