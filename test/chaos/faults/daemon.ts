import { eventually } from '../../support/eventually.ts'
import type { JournalLine } from '../journal.ts'
import { executingAgain } from '../recovery.ts'
import type { Fault } from '../schedule.ts'
import { EXECUTION_LIMIT } from '../stage.ts'
import type { Arena, Course } from './arena.ts'

/** Milliseconds: more than --drain-timeout, which is 30 s. */
const DRAIN = 40_000

/** Milliseconds after which php-fpm has ended every execution; it looks once a second. */
const LONGEST = (EXECUTION_LIMIT + 2) * 1_000

const mayRun = ({ time }: JournalLine): boolean => time + LONGEST > Date.now()

/** SIGTERM, and another one in its place when it has drained: what a service manager does at an upgrade. */
export async function endDaemon({ stage, fleet }: Arena, { target, lasts }: Fault): Promise<Course> {
  const daemon = fleet.at(target)
  const began = Date.now()
  daemon.dismissed = true
  daemon.process.signal('SIGTERM')
  await eventually(`${daemon.id} drains`, () => daemon.process.exit, { within: DRAIN + lasts })
  const exit = await daemon.process.exited
  if (exit.code !== 0)
    fleet.failures.push(`${daemon.id} did not drain: it ended with ${exit.code ?? exit.signal}`)
  return takenOver({ stage, fleet }, target, began)
}

/** SIGKILL, and another one in its place. */
export async function killDaemon({ stage, fleet }: Arena, { target }: Fault): Promise<Course> {
  const daemon = fleet.at(target)
  const began = Date.now()
  daemon.dismissed = true
  await daemon.process.kill()
  const course = await takenOver({ stage, fleet }, target, began)
  // php-fpm still executes what it was handed. No daemon would say so if the next fault cost one of those.
  const orphans = () => stage.journal.running().filter((line) => line.daemonId === daemon.id && mayRun(line))
  await eventually('its executions have ended', () => orphans().length === 0, { within: 2 * LONGEST })
  return course
}

/** From the start of the process: Node.js itself takes some of the time. */
async function takenOver(
  { stage, fleet }: Pick<Arena, 'stage' | 'fleet'>,
  slot: number,
  began: number,
): Promise<Course> {
  const lifted = Date.now()
  const { id } = await fleet.replace(slot)
  return { began, lifted, recovered: await executingAgain(stage.journal, lifted, id), slots: [slot] }
}
