import type { SessionEnd } from '../bridge/events.ts'
import type { Session } from './session.ts'

/** Why a session has ended, which must be over. @param reason what it has ended with */
export function causeOf({ connectionLost, cancelled }: Session, reason: string): SessionEnd {
  if (patienceIn(reason) !== undefined) return 'consumer-timeout'
  if (connectionLost) return 'connection-lost'
  return cancelled ? 'consumer-cancelled' : 'channel-closed'
}

/** The milliseconds for which the broker waits for an ack, where that is why it has closed the channel (rabbit_channel). */
export function patienceIn(reason: string): number | undefined {
  const [, named] =
    /delivery acknowledgement on channel \d+ timed out\. Timeout value used: (\d+) ms/.exec(reason) ?? []
  return named === undefined ? undefined : Number(named)
}
