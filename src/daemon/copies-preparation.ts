import { BrokerError } from '../amqp/broker-error.ts'
import type { ConfirmPublisher } from '../amqp/publisher.ts'
import { type BackoffRange, backoff, pause } from '../bridge/backoff.ts'
import type { Tell } from '../bridge/events.ts'

/** Publishing is prepared beside everything else, and may take its time. */
const DELAY: BackoffRange = { min: 500, max: 30_000 }

/**
 * Declares the queues that copies go to, before there is any: nothing may be published into a young quorum queue. What may pass is
 * tried again beside everything else.
 *
 * @param signal aborted when the bridge is given up
 * @param isOver whether the bridge needs them no more
 * @throws {BrokerError} when waiting makes no sense
 */
export async function prepareCopies(
  publisher: Pick<ConfirmPublisher, 'prepare'>,
  tell: Tell,
  signal: AbortSignal,
  isOver: () => boolean,
  attempt = 1,
): Promise<void> {
  if (isOver()) return
  try {
    await publisher.prepare()
  } catch (error) {
    // Its channel was closed under it.
    if (isOver()) return
    if (attempt === 1 && error instanceof BrokerError && error.permanent) throw error
    const reason = error instanceof Error ? error.message : String(error)
    tell({ kind: 'copies-not-prepared', reason, attempt })
    void pause(backoff(attempt, DELAY), signal).then(() =>
      prepareCopies(publisher, tell, signal, isOver, attempt + 1),
    )
  }
}
