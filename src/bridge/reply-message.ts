import { expressible } from './copy-headers.ts'
import type { FinalOutcome } from './outcome.ts'
import type { HeaderField, OutgoingMessage } from './ports.ts'
import { isDirect } from './reply-target.ts'
import type { ExecutionReport } from './runner.ts'

/** Characters of a reason that a caller gets. */
const MAX_REASON = 200

const NO_BODY = Buffer.alloc(0)

/** The answer to a message: what its worker has answered, or, where there is no answer, why. */
export function replyOf(
  { execution, result }: ExecutionReport,
  outcome: FinalOutcome,
  replyTo: string,
): OutgoingMessage {
  const { correlationId } = execution
  const response = result.kind === 'answered' ? result.response : undefined
  return {
    queue: replyTo,
    properties: expressible({
      correlationId,
      contentType: response?.headers.get('content-type')?.at(-1),
      // Direct reply-to stores nothing; a queue keeps it as long as it lives.
      deliveryMode: isDirect(replyTo) ? 1 : 2,
    }),
    headers: headersOf(outcome, response?.status, response?.bodyTruncated === true),
    body: response?.body ?? NO_BODY,
  }
}

/** The answer to a command. Nobody wants to find it after a restart of the broker. */
export function answerTo(
  replyTo: string,
  correlationId: string | undefined,
  report: Buffer,
): OutgoingMessage {
  const properties = expressible({ correlationId, contentType: 'application/json', deliveryMode: 1 })
  return { queue: replyTo, properties, headers: [], body: report }
}

function headersOf(outcome: FinalOutcome, status: number | undefined, truncated: boolean): HeaderField[] {
  const headers: HeaderField[] = [['outcome', outcome.kind]]
  // One that could not be read is NaN, for which AMQP has no value.
  if (Number.isInteger(status)) headers.push(['status', status as number])
  if ('reason' in outcome) headers.push(['reason', outcome.reason.slice(0, MAX_REASON)])
  if (truncated) headers.push(['truncated', true])
  return headers
}
