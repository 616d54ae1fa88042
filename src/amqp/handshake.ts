import type { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/*
 * amqplib keeps to itself why the broker closes a connection instead of opening it: "Expected ConnectionOpenOk; got
 * <ConnectionClose>" is all. A vhost that does not exist and a limit that is reached are one to it. So we look at the frames of
 * the handshake as it takes them.
 *
 * What amqplib throws later, while it takes frames, it catches itself: the connection ends with it.
 */

/** Class 10, method 50, as amqplib numbers methods. */
const CONNECTION_CLOSE = (10 << 16) | 50

interface Frame {
  readonly id?: number
  readonly fields?: { readonly replyCode: number; readonly replyText: string }
}

type Take = (error: Error | null, frame: Frame) => void
type Opened = (error: Error | null, ok?: unknown) => void

/** What we know of amqplib's class, which its types leave out: hence the narrow version range of the package. */
interface RawConnection extends EventEmitter {
  open(fields: object, opened: Opened): void
  /** Calls back with the next frame; used in the handshake alone. */
  step(take: Take): void
}

/** The text of its message is as that of amqplib's other errors. */
class HandshakeRefused extends Error {
  readonly code: number

  constructor(code: number, text: string, cause: Error) {
    super(`Connection closed: ${code} with message "${text}"`, { cause })
    this.code = code
  }
}

/** To be called once: from then on amqplib's errors of the handshake carry the broker's reply, where there was one. */
export function tellReplies(): void {
  const require = createRequire(import.meta.url)
  // Its package.json exports no more than the interface; the file is there.
  const file = join(dirname(require.resolve('amqplib')), 'lib', 'connection.js')
  const { prototype } = (require(file) as { Connection: { prototype: RawConnection } }).Connection
  const { open, step } = prototype
  prototype.open = function (this: RawConnection, fields, opened) {
    let close: Frame['fields']
    // What comes in one piece with the end of the handshake is taken before anybody outside can listen, and an 'error' that nobody
    // listens to would end the process. What follows fails since the connection is closed.
    this.on('error', () => {})
    this.step = (take) =>
      step.call(this, (error, frame) => {
        if (frame?.id === CONNECTION_CLOSE) close = frame.fields
        take(error, frame)
      })
    open.call(this, fields, (error, ok) => {
      if (error === null || close === undefined) opened(error, ok)
      else opened(new HandshakeRefused(close.replyCode, close.replyText, error))
    })
  }
}
