import { complain } from '../command-line/output.ts'
import type { Log } from '../observe/logger.ts'

/** @param unread variables that look like options and are none; where there are any, a line of the log says so */
export function logUnread(unread: readonly string[], log: Log): void {
  if (unread.length > 0)
    log.warn('Ignored environment variables: there are no such options.', { variables: unread.join(', ') })
}

/** The same, on standard error. */
export function complainOfUnread(unread: readonly string[]): void {
  if (unread.length > 0)
    complain(`ignored environment variables: there are no such options: ${unread.join(', ')}`)
}
