import type { FastCgiResponse } from '../fastcgi/types.ts'

/** With html_errors, or without (main/main.c, php_error_cb). */
const BEGINNING = /^\n?(?:<br \/>\n<b>)?Warning(?:<\/b>)?: {1,2}PHP Request Startup: /
/** Bytes that are enough to see one. */
const SEEN = 60
/** Bytes of it that are told. */
const TOLD = 200

/**
 * The warning with which an answer begins, when PHP printed it before the script: with display_errors on, of a body beyond
 * post_max_size, or a form beyond max_input_vars. The headers went with it, before output is buffered by anybody. So the status is 200,
 * and there is no X-Bridge-Outcome, whatever the script says later.
 *
 * @returns without its tags; undefined when the answer begins otherwise
 */
export function startupWarningOf({ status, body }: FastCgiResponse): string | undefined {
  if (status !== 200 || body.length === 0 || !BEGINNING.test(body.toString('latin1', 0, SEEN)))
    return undefined
  return body
    .toString('latin1', 0, TOLD)
    .replaceAll(/<[^>]*>/g, '')
    .trim()
}
