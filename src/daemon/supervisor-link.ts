import { CHILD_ID, CHILD_WATCHED } from '../config/child-id.ts'
import type { Question } from '../observe/fleet-views.ts'
import type { FromChild, ToChild } from './fleet-messages.ts'

/** What a supervised process does about its supervisor. */
export type SupervisorListener = Readonly<Record<Exclude<ToChild['kind'], 'ask'> | 'gone', () => void>>

/** The end of the channel that a supervised process has. */
export class SupervisorLink {
  /** In place of the one that the configuration says, or that would be made up. */
  readonly daemonId: string
  /** Whether somebody wants to see the process. */
  readonly isWatched: boolean
  #answer: (question: Question) => void = () => {}

  /** @returns undefined in a process that no supervisor has started */
  static ofThisProcess(environment: NodeJS.ProcessEnv): SupervisorLink | undefined {
    const id = environment[CHILD_ID]
    return id === undefined || process.send === undefined
      ? undefined
      : new SupervisorLink(id, environment[CHILD_WATCHED] !== undefined)
  }

  private constructor(daemonId: string, isWatched: boolean) {
    this.daemonId = daemonId
    this.isWatched = isWatched
  }

  get isGone(): boolean {
    return !process.connected
  }

  /** Node.js keeps what has come before. A supervisor that is gone already is told of at once. */
  listen(listener: SupervisorListener): void {
    process.on('message', (message: ToChild) => {
      if (message.kind === 'ask') this.#answer(message.question)
      else listener[message.kind]()
    })
    process.once('disconnect', () => listener.gone())
    if (this.isGone) listener.gone()
  }

  /** @param answer hears what the supervisor wants to know */
  answer(answer: (question: Question) => void): void {
    this.#answer = answer
  }

  /** Lost where the supervisor is gone: then nobody needs it. @param written hears when it is out of our hands */
  tell(message: FromChild, written: () => void = () => {}): void {
    if (this.isGone || process.send === undefined) setImmediate(written)
    else process.send(message, undefined, undefined, written)
  }
}
