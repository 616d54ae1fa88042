export type QueueType = 'classic' | 'quorum'

/** A queue of ours: durable, not exclusive, not auto-delete. */
export interface Queue {
  readonly name: string
  /** What it is declared with. */
  readonly arguments: Readonly<Record<string, string | number>>
  /** Whether one that exists must have these arguments, too; otherwise it is taken as it is. */
  readonly exact: boolean
}

/** A queue that others may have declared before us, in their own way. */
export function plainQueue(name: string, type: QueueType): Queue {
  // Classic is the broker's default; naming it would conflict with others who declare without arguments.
  return { name, arguments: type === 'quorum' ? { 'x-queue-type': 'quorum' } : {}, exact: false }
}

/**
 * A queue whose messages go to `target` after `delay` milliseconds. A classic queue can lose what has expired in it to a
 * crash of the broker; a quorum queue keeps each until the target has confirmed it (RabbitMQ 3.10 and later), as long
 * as it rejects what is too much for it. It never expires itself: it would take its messages along.
 */
export function delayQueue(name: string, delay: number, target: string): Queue {
  return {
    name,
    arguments: {
      'x-queue-type': 'quorum',
      'x-message-ttl': delay,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': target,
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    },
    exact: true,
  }
}

/** In words, for messages. */
export function describeQueue({ name, arguments: given }: Queue): string {
  const list = Object.entries(given).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return `"${name}" (${['durable', ...list].join(', ')})`
}
