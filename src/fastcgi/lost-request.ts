import type { PoolAddress } from './address.ts'
import type { Exchange } from './exchange.ts'
import { systemCodeOf } from './types.ts'

/*
 * On a Unix socket the kernel tells whether the pool had read what it was sent (unix(7); net/unix/af_unix.c, unix_release_sock):
 * ECONNRESET is a peer that is gone and left bytes unread, EPIPE one that was gone before, and the end of file comes from one that
 * had read everything. Hence requests there do without the empty stdin record, which php-fpm would leave unread. See
 * docs/decisions/0013-the-kernel-tells-whether-a-request-was-read.md.
 */

/** The pool was gone, and had not read everything, or nothing. */
const LEFT_UNREAD: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE'])

/** What ends a connection in the middle of a request, as far as anybody can tell from here. */
const LIKELY =
  "the child was killed or has crashed, reached request_terminate_timeout, or the pool was stopped; php-fpm's log says which"

export interface RequestOnItsWay {
  readonly exchange: Exchange
  readonly addressKind: PoolAddress['kind']
  /** Whether all of it is in one buffer, which the empty buffer of a socket takes whole or not at all. */
  readonly oneWrite: boolean
}

/** Ends an exchange that its connection has left. @param cause what the connection has ended with */
export function failLost({ exchange, addressKind, oneWrite }: RequestOnItsWay, cause: Error): void {
  const code = systemCodeOf(cause) ?? cause.message
  const leftUnread = addressKind === 'unix' && !exchange.answering && LEFT_UNREAD.has(code)
  if (leftUnread && oneWrite)
    exchange.fail(
      'NOT_READ',
      `the pool closed the connection before it read the request (${code})`,
      cause,
      'unread',
    )
  else if (leftUnread || !exchange.sent)
    exchange.fail(
      'SEND_FAILED',
      `the connection ended while the request was sent: ${code}`,
      cause,
      leftUnread ? 'send' : undefined,
    )
  else
    exchange.fail(
      'CONNECTION_LOST',
      `the connection ended before the answer was complete: ${code}; ${LIKELY}`,
      cause,
    )
}
