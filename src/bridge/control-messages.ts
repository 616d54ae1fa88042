import { CONTROL_TYPE } from '../control/protocol.ts'
import type { Tell } from './events.ts'
import type { Execution } from './execution.ts'
import type { Slots } from './gates/slots.ts'
import type { ControlDesk, OutgoingMessage, ReplyPublisher } from './ports.ts'
import { answerTo } from './reply-message.ts'
import { isDirect } from './reply-target.ts'
import type { Settlement } from './settlement.ts'

/** Answers on their way; further pings are acked without. */
const MAX_ANSWERS = 100

/**
 * Messages in the work queue that are for the daemon, and not for a worker: no script sees them, and they take no slot and wait for none.
 * What they say of a verb that nobody knows is dead-lettered.
 */
export class ControlMessages {
  readonly #desk: ControlDesk
  readonly #publisher: ReplyPublisher
  readonly #settlement: Settlement
  readonly #slots: Slots
  readonly #tell: Tell
  #underWay = 0
  /** Whether the process has been told to end. */
  #isEnding = false

  constructor(
    desk: ControlDesk,
    publisher: ReplyPublisher,
    settlement: Settlement,
    slots: Slots,
    tell: Tell,
  ) {
    this.#desk = desk
    this.#publisher = publisher
    this.#settlement = settlement
    this.#slots = slots
    this.#tell = tell
  }

  /** @returns whether it is one of those, and not to be executed */
  take(execution: Execution): boolean {
    const { type } = execution
    if (type === undefined || !type.startsWith(CONTROL_TYPE)) return false
    const verb = type.slice(CONTROL_TYPE.length)
    if (verb === 'ping') this.#answerPing(execution)
    else if (verb === 'shutdown') this.#shutDown(execution)
    else this.#refuse(execution, type)
    return true
  }

  #answerPing(execution: Execution): void {
    const { replyTo } = execution.delivery.properties
    const refusal = replyTo === undefined || replyTo === '' ? undefined : this.#answer(execution, replyTo)
    execution.ack()
    this.#tellOf(execution, 'ping', refusal)
  }

  /** First the ack, or its successor would get it, and end too. */
  #shutDown(execution: Execution): void {
    // Each message is for one daemon.
    if (this.#isEnding) {
      execution.delivery.requeue()
      return
    }
    // One of a session that has ended comes again.
    if (!execution.ack()) return
    this.#isEnding = true
    this.#tellOf(execution, 'shutdown', undefined)
    this.#desk.shutDown()
  }

  #refuse(execution: Execution, type: string): void {
    const reason = `type ${type} is none that --control knows: ${CONTROL_TYPE}ping and ${CONTROL_TYPE}shutdown`
    execution.start()
    execution.finish({ kind: 'unprocessable', reason })
    const settled = this.#settlement.settle(execution, { kind: 'dead-letter', cause: 'control', reason })
    if (settled !== undefined) this.#slots.hold(settled)
  }

  /** @returns why there is no answer; undefined where it is on its way */
  #answer({ correlationId }: Execution, replyTo: string): string | undefined {
    const refusal = this.#desk.answerRefusal(replyTo)
    if (refusal !== undefined) return refusal
    if (this.#underWay >= MAX_ANSWERS) return 'too many answers are on their way'
    void this.#publish(answerTo(replyTo, correlationId, this.#desk.report()))
    return undefined
  }

  /** Whoever asks asks again. */
  async #publish(answer: OutgoingMessage): Promise<void> {
    this.#underWay += 1
    try {
      if (isDirect(answer.queue)) await this.#publisher.send(answer, () => {})
      else await this.#publisher.publish(answer)
    } catch (error) {
      this.#tell({ kind: 'answer-failed', replyTo: answer.queue, reason: String(error) })
    }
    this.#underWay -= 1
  }

  #tellOf(execution: Execution, verb: 'ping' | 'shutdown', refusal: string | undefined): void {
    const { deliveryTag, messageId, delivery } = execution
    const { replyTo } = delivery.properties
    this.#tell({ kind: 'control-message', verb, deliveryTag, messageId, replyTo, refusal })
  }
}
