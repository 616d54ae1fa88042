import { asBrokerError, BrokerError } from './broker-error.ts'
import { describeQueue, type Queue } from './queue.ts'
import { meaningOf, replyOf, SILENT_QUEUE, withRemedy } from './reply.ts'

/** What came of looking for a queue, or of declaring it. */
export function queueError(queue: Queue, cause: unknown): BrokerError {
  const options = queue.exact ? '--retry-delay, --retry-max-delay' : '--queue, --dead-letter-queue'
  const remedy =
    replyOf(cause)?.code === 406 && queue.exact
      ? `delete the queue when it is empty, or choose other delays. It is declared as ${describeQueue(queue)}`
      : undefined
  return refusal(queue.name, options, cause, `the look-up of queue "${queue.name}"`, remedy)
}

/**
 * What came of looking for the marker of a queue that is paused, of putting it there, or of taking it away.
 *
 * @param permission what a refusal asks for, where that is known
 */
export function markerError(marker: string, cause: unknown, permission?: string): BrokerError {
  const remedy = permission && `give the user the permission to ${permission} (rabbitmqctl set_permissions)`
  return refusal(marker, '--control', cause, `the look for queue "${marker}"`, remedy)
}

/** What came of basic.consume: the user may not read from the queue, or somebody else alone may. */
export function consumeError(queue: string, cause: unknown): BrokerError {
  return refusal(queue, '--queue', cause, `the start of the consumer of queue "${queue}"`)
}

function refusal(
  queue: string,
  options: string,
  cause: unknown,
  during: string,
  remedy?: string,
): BrokerError {
  const reply = replyOf(cause)
  if (cause instanceof BrokerError && cause.code === 'UNREACHABLE')
    return new BrokerError(cause.code, withRemedy(`queue "${queue}": ${cause.message}`, SILENT_QUEUE), {
      cause,
    })
  if (reply === undefined) return asBrokerError(cause, during)
  const { code, remedy: usual } = meaningOf(reply)
  const who = code === 'UNREACHABLE' ? 'at the moment the broker refuses' : 'the broker refuses'
  const answer = `${who} queue "${queue}" (${options}): ${reply.text}`
  // A queue that was there a moment ago may be again: the next session looks for it.
  const passing = code === 'QUEUE_MISSING' ? 'UNREACHABLE' : code
  return new BrokerError(passing, withRemedy(answer, remedy ?? usual), { cause })
}
