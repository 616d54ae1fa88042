import { numberIn, type Read, textIn, timeOf } from './origin.ts'

type Death = Readonly<Record<string, unknown>>

/**
 * What RabbitMQ notes of its own dead-lettering (`x-death`), the last time first. What has expired has mostly waited in a queue of
 * delays: where it has been rejected says more.
 */
export const fromRabbitMq: Read = ({ properties: { headers } }) => {
  const deaths = deathsIn(headers?.['x-death'])
  const death = deaths.find(({ reason }) => reason !== 'expired') ?? deaths[0]
  if (death === undefined) return undefined
  const seconds = numberIn((death['time'] as Death | undefined)?.['value'])
  return {
    madeBy: 'rabbitmq',
    queue: textIn(death['queue']),
    reason: textIn(death['reason']),
    attempts: numberIn(death['count']),
    time: seconds === undefined ? undefined : timeOf(seconds * 1_000),
  }
}

function deathsIn(value: unknown): readonly Death[] {
  return Array.isArray(value) ? value.filter((death) => typeof death === 'object' && death !== null) : []
}
