import type { Room } from '../../fastcgi/types.ts'
import { type Answer, type Gate, UNTIL_TOLD } from './gate.ts'

/** Of a client that carries many messages in a request: what it cannot send soon waits in the backlog. */
export class ClientRoom implements Gate {
  readonly #room: Room

  constructor(room: Room) {
    this.#room = room
  }

  admits(): Answer {
    return this.#room.isThere ? 'yes' : UNTIL_TOLD
  }

  open(wake: () => void): void {
    this.#room.open(wake)
  }
}
