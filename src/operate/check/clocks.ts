import { type Finding, findingsOf } from './finding.ts'

/** Seconds that two clocks may differ: as much as the daemon takes without a word (bridge/pool-clock.ts). */
const TOLERANCE = 5

/** A clock that counts whole seconds is behind by as much, at most. */
const ACCURACY = 1

/** A clock, and ours when it was read; seconds since the epoch. */
export interface ClockReading {
  readonly theirs: number
  readonly ours: number
}

/** What follows from a clock that is ahead, and from one that is behind. */
interface Consequences {
  readonly ahead: string
  readonly behind: string
}

/** AMQP_DEADLINE is a time of our clock, and a worker compares it with its own. */
const OF_POOL: Consequences = {
  ahead: 'workers refuse messages as too late',
  behind: 'workers begin what nobody waits for any more',
}
const LOGS = 'times in its log, and in the headers that it writes, are not ours'
const OF_BROKER: Consequences = { ahead: LOGS, behind: LOGS }

/** @param reading undefined where the pool does not say what time it is there */
export function checkPoolClock(pool: string, reading: ClockReading | undefined): Finding {
  return reading === undefined
    ? findingsOf('clocks', pool).unknown(
        'pool',
        'what time it is there is not known: its status page would tell',
      )
    : compare(pool, 'pool', reading, OF_POOL)
}

/** @param reading undefined where it could not be read; `unasked` without --probe */
export function checkBrokerClock(broker: string, reading: ClockReading | 'unasked' | undefined): Finding {
  const { unknown } = findingsOf('clocks', broker)
  if (reading === undefined)
    return unknown(
      'broker',
      'the user may have no queues of its own (amq.gen-*), by which the time could be told',
    )
  return reading === 'unasked'
    ? unknown(
        'broker',
        'AMQP has no request for the time',
        'with --probe a message that expires at once, between two queues of its own, tells it',
      )
    : compare(broker, 'broker', reading, OF_BROKER)
}

function compare(
  subject: string,
  point: string,
  { theirs, ours }: ClockReading,
  consequences: Consequences,
): Finding {
  const { passed, warned } = findingsOf('clocks', subject)
  const ahead = theirs - ours
  if (Math.abs(ahead) <= TOLERANCE + ACCURACY) return passed(point, 'its clock is as ours, to a few seconds')
  const seconds = Math.round(Math.abs(ahead))
  return warned(
    point,
    ahead > 0
      ? `its clock is ${seconds} s ahead of ours: ${consequences.ahead}`
      : `its clock is ${seconds} s behind ours: ${consequences.behind}`,
    'have both hosts keep the time: timedatectl set-ntp true',
  )
}
