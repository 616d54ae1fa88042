import { numberIn, type Read, textIn } from './origin.ts'

/** Bytes of a body that is looked into: jobs are small, and others need not be read. */
const MAX_BODY = 1024 * 1024

/** What Laravel's queues put into the body of a job. Only a look can tell. */
export const fromLaravel: Read = ({ body }) => {
  if (body[0] !== 0x7b || body.length > MAX_BODY || !body.includes('"displayName"')) return undefined
  try {
    const { displayName, attempts } = JSON.parse(body.toString()) as Record<string, unknown>
    const subject = textIn(displayName)
    return subject === undefined ? undefined : { madeBy: 'laravel', subject, attempts: numberIn(attempts) }
  } catch {
    return undefined
  }
}
