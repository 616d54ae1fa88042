import { inTime } from '../../support/eventually.ts'
import { collectDeadLetters, quiet } from '../ending.ts'
import { ALL_SLOTS } from '../fault-kinds.ts'
import { consumingAgain, executed } from '../recovery.ts'
import { DEAD_LETTER_QUEUE, QUEUE, RETRY_PREFIX, type Stage } from '../stage.ts'
import type { Arena, Course } from './arena.ts'

/*
 * A deleted queue takes its messages along, which would be nobody's fault but ours. So the flow pauses, and a queue
 * goes only while nothing is in any of them and nothing is in flight: then nobody can be publishing to it, either.
 */

/** Milliseconds; as long as any other recovery may take. */
const GIVEN_UP_WITHIN = 60_000

/** The daemons find it gone, and declare it again. */
export async function deleteQueue(arena: Arena): Promise<Course> {
  await calmed(arena)
  const began = Date.now()
  await remove(arena.stage, QUEUE)
  const recovered = await consumingAgain(arena.fleet, began)
  arena.flow.start()
  return { began, lifted: began, recovered, slots: ALL_SLOTS }
}

/** Nobody notices, until a message has to be given up. */
export async function deleteDeadLetterQueue(arena: Arena): Promise<Course> {
  await calmed(arena)
  await collectDeadLetters(arena)
  await remove(arena.stage, DEAD_LETTER_QUEUE)
  const began = Date.now()
  const id = await arena.flow.send({ unprocessable: true })
  const recovered = await givenUp(arena, [id])
  arena.flow.start()
  return { began, lifted: began, recovered, slots: ALL_SLOTS }
}

/** All of them. The time is that of a message that fails once, its retry delay included. */
export async function deleteRetryQueues(arena: Arena): Promise<Course> {
  await calmed(arena)
  const count = await removeRetryQueues(arena.stage)
  const began = Date.now()
  // Without one there was nothing to delete, and nothing is to be seen.
  const id = count > 0 ? await arena.flow.send({ failures: 1 }) : undefined
  const recovered = id === undefined ? began : await executed(arena.stage.journal, id, began)
  arena.flow.start()
  return { began, lifted: began, recovered, slots: ALL_SLOTS }
}

/** The flow pauses, until nothing is in any queue and nothing in flight. */
export async function calmed({ stage, flow }: Arena): Promise<void> {
  await flow.pause()
  await quiet(stage)
}

/** Resolves with how many there were. */
export async function removeRetryQueues(stage: Stage): Promise<number> {
  const queues = await stage.broker.api<{ name: string }[]>('GET', '/queues/%2F?columns=name')
  const retryQueues = queues.map(({ name }) => name).filter((name) => name.startsWith(RETRY_PREFIX))
  for (const name of retryQueues) await remove(stage, name)
  return retryQueues.length
}

/** When all of these had come to the dead-letter queue; undefined: not in time. */
export async function givenUp(arena: Arena, ids: readonly string[]): Promise<number | undefined> {
  const whenGivenUp = async () => {
    await collectDeadLetters(arena)
    return ids.every((id) => arena.deadLetters.some(({ messageId }) => messageId === id)) && Date.now()
  }
  return await inTime(whenGivenUp, { within: GIVEN_UP_WITHIN, every: 50 })
}

async function remove({ broker }: Stage, queue: string): Promise<void> {
  await broker.api('DELETE', `/queues/%2F/${encodeURIComponent(queue)}`)
}
