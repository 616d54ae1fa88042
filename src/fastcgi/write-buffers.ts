import type { Socket } from 'node:net'

/** @param done called when the last of them is in the socket, if it comes to that: a failed write comes as 'error', too */
export function writeBuffers(socket: Socket, buffers: readonly Buffer[], done: () => void): void {
  for (const [index, buffer] of buffers.entries()) {
    if (index < buffers.length - 1) socket.write(buffer)
    else socket.write(buffer, (error) => (error ? undefined : done()))
  }
}
