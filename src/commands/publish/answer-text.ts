import type { Answer } from '../../amqp/direct-reply.ts'

const LF = 0x0a

/** Its status, where the worker has given one, and what else the bridge says of it. */
export function summaryOf({ headers, body }: Answer): string {
  const { status, outcome, reason, truncated } = headers
  const parts = [
    status === undefined ? 'no status' : `status ${status}`,
    ...[outcome, reason].filter((part) => typeof part === 'string'),
    `${body.length} bytes${truncated === true ? ', cut off (--max-response)' : ''}`,
  ]
  return parts.join(', ')
}

/** As it is; only several need a line's end between them. */
export function writeBody(body: Buffer): void {
  process.stdout.write(body)
  if (body.length > 0 && body.at(-1) !== LF) process.stdout.write('\n')
}
