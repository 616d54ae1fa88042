import { type Finding, findingsOf } from './finding.ts'

/** Seconds that two clocks may differ: as much as the daemon takes without a word (bridge/pool-clock.ts). */
const TOLERANCE = 5

/** A clock, and ours when it was read; milliseconds since the epoch. */
export interface ClockReading {
  readonly theirs: number
  readonly ours: number
  /** Milliseconds by which it may be off. */
  readonly accuracy: number
}

/** AMQP_DEADLINE is a time of our clock, and a worker compares it with its own. */
export function checkPoolClock(pool: string, reading: ClockReading | undefined): Finding {
  const { passed, warned, unknown } = findingsOf('clocks', pool)
  if (reading === undefined)
    return unknown('pool', 'what time it is there is not known: its status page would tell')
  const ahead = (reading.theirs - reading.ours) / 1_000
  if (Math.abs(ahead) <= TOLERANCE + reading.accuracy / 1_000)
    return passed('pool', 'its clock is as ours, to a few seconds')
  const seconds = Math.round(Math.abs(ahead))
  return warned(
    'pool',
    `its clock is ${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} ours: workers ${ahead > 0 ? 'refuse messages as too late' : 'begin what nobody waits for any more'}`,
    'have both hosts keep the time: timedatectl set-ntp true',
  )
}

/** AMQP has no request for it, and nothing depends on it but certificates and the times in logs. */
export function brokerClock(broker: string): Finding {
  return findingsOf('clocks', broker).unknown(
    'broker',
    'a broker tells nobody what time it is there',
    'have its host keep the time: timedatectl status',
  )
}
