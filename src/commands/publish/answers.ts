import type { Answer } from '../../amqp/direct-reply.ts'

/** Answers that are waited for, by what their messages are correlated with. One that nobody waits for is dropped. */
export class Answers {
  readonly #patience: number
  readonly #takers = new Map<string, (answer: Answer) => void>()

  /** @param patience milliseconds for each answer, from when its message is in its queue */
  constructor(patience: number) {
    this.#patience = patience
  }

  /** To be called before the message is sent: the answer may come before the confirm. */
  expect(correlationId: string): Promise<Answer> {
    return new Promise((resolve) => this.#takers.set(correlationId, resolve))
  }

  /** To be called when the message is in its queue. @returns undefined when no answer has come in time */
  async inTime(correlationId: string, answer: Promise<Answer>): Promise<Answer | undefined> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#patience)
    })
    try {
      return await Promise.race([answer, late])
    } finally {
      clearTimeout(timer)
      this.forget(correlationId)
    }
  }

  /** Nobody waits for it any more. */
  forget(correlationId: string): void {
    this.#takers.delete(correlationId)
  }

  take(answer: Answer): void {
    this.#takers.get(answer.correlationId)?.(answer)
  }
}
