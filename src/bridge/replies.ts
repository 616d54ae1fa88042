import { type BackoffRange, backoff } from './backoff.ts'
import type { Tell } from './events.ts'
import type { ReplyFailure } from './facts.ts'
import type { FinalOutcome } from './outcome.ts'
import type { BridgePolicy, ReplyPublisher } from './ports.ts'
import { isSuspected, mayPass, whyNoReply } from './publish-failure.ts'
import { Reply } from './reply.ts'
import { replyOf } from './reply-message.ts'
import { isDirect, ReplyTargets } from './reply-target.ts'
import type { ExecutionReport } from './runner.ts'

/** Milliseconds that a reply may take. Its message waits for it, unsettled. */
const PATIENCE = 5_000

const RETRY_DELAY: BackoffRange = { min: 50, max: 1_000 }

/** Bytes of replies that were given up and may still be on their way, in the memory of this process. */
const MAX_LEFT_BEHIND = 64 * 1024 * 1024

/**
 * Answers messages that ask for it (`reply_to`) with what their workers have answered: once it is known what becomes of a message, and
 * before it is acked. What happens in between makes a second reply, never none. A reply that nobody takes is told of, and the
 * message goes on.
 */
export class Replies {
  readonly #publisher: ReplyPublisher
  readonly #tell: Tell
  readonly #targets: ReplyTargets
  readonly #underWay = new Set<Reply>()
  /** By queue, how many replies were given up and are still in the hands of the publisher. */
  readonly #stuck = new Map<string, number>()
  #leftBehind = 0
  #onIdle: () => void = () => {}

  constructor(allowed: readonly string[], policy: BridgePolicy, publisher: ReplyPublisher, tell: Tell) {
    this.#targets = new ReplyTargets(allowed, policy)
    this.#publisher = publisher
    this.#tell = tell
  }

  /** @returns resolves when the message may be settled; undefined when it may at once */
  answer(report: ExecutionReport, outcome: FinalOutcome): Promise<void> | undefined {
    const { execution } = report
    const { replyTo } = execution.delivery.properties
    if (replyTo === undefined || replyTo === '' || outcome.kind === 'retry') return undefined
    // It is delivered and executed again: then it is answered.
    if (!execution.settleable) return undefined
    const reply = new Reply(execution, replyOf(report, outcome, replyTo))
    const refusal = this.#targets.refusal(replyTo)
    if (refusal !== undefined) this.#fail(reply, 'not-allowed', refusal)
    else if (this.#stuck.has(replyTo) || this.#leftBehind > MAX_LEFT_BEHIND)
      this.#fail(reply, 'late', 'replies before it have not been taken in time, and are still waited for')
    else return this.#send(reply)
    return undefined
  }

  /** Resolves when no reply is on its way. */
  idle(): Promise<void> {
    const others = this.#onIdle
    return new Promise((resolve) => {
      this.#onIdle = () => {
        others()
        resolve()
      }
      this.#lookForIdle()
    })
  }

  #send(reply: Reply): Promise<void> {
    this.#underWay.add(reply)
    reply.patience = setTimeout(() => this.#giveUp(reply), PATIENCE)
    void this.#publish(reply).then((error) => this.#end(reply, error))
    return reply.released
  }

  /** @returns why nobody has got it, for good; undefined when it is in its queue, or with its caller as far as one can know */
  async #publish(reply: Reply): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      const error = await this.#attempt(reply, isSuspected(reply.cause))
      if (error === undefined || !mayPass(error)) return error
      reply.cause = error
      await new Promise((resolve) => setTimeout(resolve, backoff(attempt, RETRY_DELAY)))
      if (reply.over) return error
    }
  }

  async #attempt({ message, release }: Reply, alone: boolean): Promise<unknown> {
    try {
      if (isDirect(message.queue)) await this.#publisher.send(message, release, alone)
      else await this.#publisher.publish(message, alone)
      return undefined
    } catch (error) {
      return error
    }
  }

  #end(reply: Reply, error: unknown): void {
    const { execution, message, over } = reply
    if (over) this.#forget(reply)
    else if (error !== undefined) this.#fail(reply, whyNoReply(error), String(error))
    else {
      this.#leave(reply)
      this.#tell({
        kind: 'reply-published',
        execution,
        replyTo: message.queue,
        bytes: message.body.length,
      })
    }
  }

  #giveUp(reply: Reply): void {
    const { queue, body } = reply.message
    this.#stuck.set(queue, (this.#stuck.get(queue) ?? 0) + 1)
    this.#leftBehind += body.length
    const cause = reply.cause === undefined ? '' : `: ${String(reply.cause)}`
    this.#fail(reply, 'late', `the broker has not taken it within ${PATIENCE} ms${cause}`)
  }

  /** One that was given up: nothing more of it is on its way. */
  #forget({ message: { queue, body } }: Reply): void {
    const others = (this.#stuck.get(queue) ?? 1) - 1
    if (others === 0) this.#stuck.delete(queue)
    else this.#stuck.set(queue, others)
    this.#leftBehind -= body.length
  }

  #fail(reply: Reply, why: ReplyFailure, reason: string): void {
    this.#leave(reply)
    this.#tell({
      kind: 'reply-failed',
      execution: reply.execution,
      replyTo: reply.message.queue,
      why,
      reason,
    })
  }

  #leave(reply: Reply): void {
    clearTimeout(reply.patience)
    reply.over = true
    this.#underWay.delete(reply)
    reply.release()
    this.#lookForIdle()
  }

  #lookForIdle(): void {
    if (this.#underWay.size === 0) this.#onIdle()
  }
}
