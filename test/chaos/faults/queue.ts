import { setTimeout as sleep } from 'node:timers/promises'
import { collectDeadLetters, quiet } from '../ending.ts'
import { ALL_SLOTS } from '../fault-kinds.ts'
import { consumingAgain, executed } from '../recovery.ts'
import { DEAD_LETTER_QUEUE, QUEUE, RETRY_PREFIX, type Stage } from '../stage.ts'
import type { Arena, Course } from './arena.ts'

/*
 * A deleted queue takes its messages along, which would be nobody's fault but ours. So the flow pauses, and a queue
 * goes only while nothing is in any of them and nothing is in flight: then nobody can be publishing to it, either.
 */

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
  for (
    const deadline = began + 30_000;
    Date.now() < deadline && !arena.deadLettered.has(id);
    await sleep(50)
  ) {
    await collectDeadLetters(arena)
  }
  const recovered = arena.deadLettered.has(id) ? Date.now() : undefined
  arena.flow.start()
  return { began, lifted: began, recovered, slots: ALL_SLOTS }
}

/** All of them. The time is that of a message that fails once, its retry delay included. */
export async function deleteRetryQueues(arena: Arena): Promise<Course> {
  await calmed(arena)
  const queues = await arena.stage.broker.api<{ name: string }[]>('GET', '/queues/%2F?columns=name')
  const retryQueues = queues.map(({ name }) => name).filter((name) => name.startsWith(RETRY_PREFIX))
  for (const name of retryQueues) await remove(arena.stage, name)
  const began = Date.now()
  // Without one there was nothing to delete, and nothing is to be seen.
  const id = retryQueues.length > 0 ? await arena.flow.send({ failures: 1 }) : undefined
  const recovered = id === undefined ? began : await executed(arena.stage.journal, id, began)
  arena.flow.start()
  return { began, lifted: began, recovered, slots: ALL_SLOTS }
}

async function calmed({ stage, flow }: Arena): Promise<void> {
  await flow.pause()
  await quiet(stage)
}

async function remove({ broker }: Stage, queue: string): Promise<void> {
  await broker.api('DELETE', `/queues/%2F/${encodeURIComponent(queue)}`)
}
