import type { Message } from './message.ts'

export interface StreamEvents {
  /** The script took so many milliseconds, the wait for a child included. */
  onHello(milliseconds: number): void
  /** It may take more messages than before. */
  onRoom(): void
  /** A message has taken so many milliseconds. */
  onTaken(milliseconds: number): void
  /** None of them has been begun. In their order. */
  onGivenBack(messages: readonly Message[]): void
  /** Told once, at last. `why`: how it ended, with what the script said. */
  onOver(end: StreamEnd, why: string): void
}

/**
 * What a request has come to:
 * - `served`: it was ready for messages, as far as we wanted;
 * - `late`: the hello came when nobody waited for it any more;
 * - `useless`: the script said hello, and then its last word, or nonsense, before it had answered anything;
 * - `silent`: it has ended without a hello;
 * - `unread`: nobody has read the request.
 */
export type StreamEnd = 'served' | 'late' | 'useless' | 'silent' | 'unread'
