import { setTimeout as sleep } from 'node:timers/promises'
import { collectDeadLetters } from '../ending.ts'
import { ALL_SLOTS } from '../fault-kinds.ts'
import { consumingAgain, noted } from '../recovery.ts'
import type { Fault } from '../schedule.ts'
import { DEAD_LETTER_QUEUE } from '../stage.ts'
import type { Arena, Course } from './arena.ts'
import { calmed, givenUp, removeRetryQueues } from './queue.ts'

/*
 * What can go wrong with the copy of a message, and a time at which RabbitMQ loses what it has confirmed: a quorum queue
 * that is some 300 ms old when its broker is killed is dead afterwards.
 */

const FULL = '/policies/%2F/full'

/** It takes nothing for a while, and says so: messages that are to be given up wait, the others run. */
export async function fillDeadLetterQueue(arena: Arena, { lasts }: Fault): Promise<Course> {
  const { broker } = arena.stage
  await collectDeadLetters(arena)
  const began = Date.now()
  const definition = { 'max-length': 0, overflow: 'reject-publish' }
  await broker.api('PUT', FULL, { pattern: `^${DEAD_LETTER_QUEUE}$`, definition, 'apply-to': 'queues' })
  const ids = await Promise.all([1, 2, 3].map(() => arena.flow.send({ unprocessable: true })))
  await sleep(lasts)
  await broker.api('DELETE', FULL)
  const lifted = Date.now()
  return { began, lifted, recovered: await givenUp(arena, ids), slots: ALL_SLOTS }
}

/**
 * The ladder of retry queues is gone, so that the first copy goes to one that has to be declared; and when the broker is killed that one
 * is so young that it may be dead afterwards.
 */
export async function killBrokerAfterFirstRetry(arena: Arena, { lasts }: Fault): Promise<Course> {
  const { stage, fleet, flow } = arena
  await calmed(arena)
  await removeRetryQueues(stage)
  const began = Date.now()
  const id = await flow.send({ failures: 1 })
  await noted(stage.journal, id, began, 'failed')
  await sleep(lasts / 3)
  await stage.broker.kill()
  const killed = Date.now()
  await stage.broker.start()
  const lifted = Date.now()
  flow.start()
  return { began, lifted, recovered: await consumingAgain(fleet, killed), slots: ALL_SLOTS }
}
