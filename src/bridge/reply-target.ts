import { PAUSE_SUFFIX } from '../control/protocol.ts'
import type { BridgePolicy } from './ports.ts'

/**
 * RabbitMQ's own, which lead to a caller without a queue (https://www.rabbitmq.com/docs/direct-reply-to): a caller names it, and a message
 * comes with what RabbitMQ makes of it.
 */
export const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to'

/** Of the name of a queue, and of a routing key (AMQP 0-9-1, section 4.2.5.3). */
const MAX_BYTES = 255

/** Whether it leads to a caller, who may be gone; nobody tells. */
export function isDirect(replyTo: string): boolean {
  return replyTo.startsWith(`${DIRECT_REPLY_TO}.`)
}

type Own = Pick<BridgePolicy, 'queue' | 'deadLetterQueue'>

/** @returns why the daemon with these bridges answers no command there: all of them have a say; undefined where it may */
export function commandRefusal(
  replyTo: string,
  bridges: readonly (Own & Pick<BridgePolicy, 'replyAllow'>)[],
): string | undefined {
  const allowed = [`${DIRECT_REPLY_TO}.*`, ...bridges.flatMap(({ replyAllow = [] }) => replyAllow)]
  for (const bridge of bridges) {
    const refusal = new ReplyTargets(allowed, bridge).refusal(replyTo)
    if (refusal !== undefined) return refusal
  }
  return bridges.length === 0 ? 'there is no bridge' : undefined
}

/** Where answers may go. What a message names, its publisher has made up. */
export class ReplyTargets {
  readonly #allowed: readonly RegExp[]
  /** Whether a pattern is about names that the broker makes up. */
  readonly #allowsMadeUp: boolean
  readonly #policy: Own

  /** @param allowed names of queues, in which `*` stands for anything */
  constructor(allowed: readonly string[], policy: Own) {
    this.#allowed = allowed.map(patternOf)
    this.#allowsMadeUp = allowed.some((pattern) => pattern.startsWith('amq.gen'))
    this.#policy = policy
  }

  /** @returns why no answer goes there; undefined where it may */
  refusal(replyTo: string): string | undefined {
    const { queue, deadLetterQueue } = this.#policy
    // What is no UTF-8 has come as U+FFFD: of another name than the one that was meant, and a longer one.
    if (Buffer.byteLength(replyTo) > MAX_BYTES || /[\p{Cc}\ufffd]/u.test(replyTo))
      return 'reply_to is not the name of a queue: it has control characters, is no UTF-8, or is longer than 255 bytes'
    if (replyTo === queue || replyTo === deadLetterQueue || replyTo.startsWith(`${queue}.retry.`))
      return 'reply_to is a queue of this bridge, which executes what comes there, or keeps it for operators'
    if (replyTo.endsWith(PAUSE_SUFFIX))
      return `reply_to ends with ${PAUSE_SUFFIX}, as the marker of a queue that is paused`
    if (replyTo.startsWith('amq.') && !isDirect(replyTo) && !(this.#allowsMadeUp && isMadeUp(replyTo)))
      return 'reply_to begins with amq., and is no direct reply-to; queues that the broker names need --reply-allow amq.gen-*'
    if (!this.#allowed.some((pattern) => pattern.test(replyTo))) return '--reply-allow does not allow it'
    return undefined
  }
}

/** Of a queue that was declared without a name. */
function isMadeUp(replyTo: string): boolean {
  return replyTo.startsWith('amq.gen-')
}

function patternOf(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replaceAll(/[\\^$.+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`, 'su')
}
