import type { Tell } from '../events.ts'
import type { PauseCause } from '../facts.ts'
import type { Intake } from '../ports.ts'
import { type Answer, type Gate, UNTIL_TOLD } from './gate.ts'

type State =
  | 'open'
  /** Nothing starts any more; what the broker has sent by now still arrives. */
  | 'closing'
  /** Nothing arrives any more. */
  | 'closed'

/**
 * Operators want nothing to start: what is in flight goes on and is settled, what waits goes back, and nothing is taken. Each cause ends by
 * itself; it is over when none is left.
 */
export class Pause implements Gate {
  readonly #intake: Intake
  readonly #tell: Tell
  readonly #causes = new Map<PauseCause['kind'], PauseCause>()
  #state: State = 'open'
  #wake: () => void = () => {}

  constructor(intake: Intake, tell: Tell) {
    this.#intake = intake
    this.#tell = tell
  }

  open(wake: () => void): void {
    this.#wake = wake
  }

  admits(): Answer {
    return this.active ? UNTIL_TOLD : 'yes'
  }

  get active(): boolean {
    return this.#state !== 'open'
  }

  /** Whether what waits goes back to the broker: earlier it would come here again. */
  get handsBack(): boolean {
    return this.#state === 'closed'
  }

  get causes(): readonly PauseCause[] {
    return [...this.#causes.values()]
  }

  /** From now on nothing starts. Resolves when what had not started has gone back. A cause that is there already is replaced. */
  async begin(cause: PauseCause): Promise<void> {
    const before = this.#causes.get(cause.kind)
    this.#causes.set(cause.kind, cause)
    if (before === undefined) this.#tell({ kind: 'pause-began', cause })
    else if (isOther(cause, before)) this.#tell({ kind: 'pause-changed', cause })
    if (this.#state === 'open') this.#state = 'closing'
    await this.#intake.pause()
    if (this.#state !== 'closing') return
    this.#state = 'closed'
    this.#wake()
  }

  /** Where that cause is there. */
  end(kind: PauseCause['kind']): void {
    if (!this.#causes.delete(kind)) return
    const stillPaused = this.#causes.size > 0
    this.#tell({ kind: 'pause-over', cause: kind, stillPaused })
    if (stillPaused) return
    this.#state = 'open'
    this.#intake.resume()
    this.#wake()
  }
}

/** Whether it says anything else. */
function isOther(cause: PauseCause, before: PauseCause): boolean {
  if (cause.kind !== 'queue' || before.kind !== 'queue') return false
  const { by, at, reason, until } = cause.note
  const { note } = before
  return by !== note.by || at !== note.at || reason !== note.reason || until !== note.until
}
