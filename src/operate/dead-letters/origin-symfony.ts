import { dateIn, numberIn, type Read, textIn } from './origin.ts'

const STAMP = 'X-Message-Stamp-Symfony\\Component\\Messenger\\Stamp\\'

type Stamp = Readonly<Record<string, unknown>>

/** What Symfony Messenger writes on what goes to a failure transport: its stamps, each a list as JSON. */
export const fromSymfony: Read = ({ properties: { headers } }) => {
  const error = lastStamp(headers?.[`${STAMP}ErrorDetailsStamp`])
  const again = lastStamp(headers?.[`${STAMP}RedeliveryStamp`])
  if (error === undefined && again === undefined) return undefined
  const retries = numberIn(again?.['retryCount'])
  return {
    madeBy: 'symfony',
    reason: textIn(error?.['exceptionMessage']),
    exception: textIn(error?.['exceptionClass']),
    attempts: retries === undefined ? undefined : retries + 1,
    subject: textIn(headers?.['type']),
    time: dateIn(again?.['redeliveredAt']),
  }
}

function lastStamp(text: unknown): Stamp | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const stamps: unknown = JSON.parse(text)
    const last: unknown = Array.isArray(stamps) ? stamps.at(-1) : undefined
    return typeof last === 'object' && last !== null ? (last as Stamp) : undefined
  } catch {
    return undefined
  }
}
