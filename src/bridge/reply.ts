import type { Execution } from './execution.ts'
import type { OutgoingMessage } from './ports.ts'

/** An answer on its way. */
export class Reply {
  readonly execution: Execution
  readonly message: OutgoingMessage
  /** Resolves when the message that it answers need not wait any more. */
  readonly released: Promise<void>
  readonly release: () => void
  /** Whether it has been told what became of it. */
  over = false
  /** Why it has not been taken yet. */
  cause: unknown
  patience: NodeJS.Timeout | undefined

  constructor(execution: Execution, message: OutgoingMessage) {
    this.execution = execution
    this.message = message
    let release = (): void => {}
    this.released = new Promise((resolve) => {
      release = resolve
    })
    this.release = release
  }
}
