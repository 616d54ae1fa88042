import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { signalIfThere } from '../../support/processes.ts'
import { ALL_SLOTS } from '../fault-kinds.ts'
import { executed, executingAgain, noted, spokenOf } from '../recovery.ts'
import { CHILDREN } from '../stage.ts'
import type { Arena, Course } from './arena.ts'

/** Milliseconds after its start in which a worker has begun its answer, if it does so at all. */
const OUTPUT_AFTER = 50

/** SIGKILL to a child that has not begun its answer. */
export function killSilentChild(arena: Arena): Promise<Course> {
  return killChild(arena, false)
}

/** SIGKILL to a child that has sent a part of its answer. */
export function killSpeakingChild(arena: Arena): Promise<Course> {
  return killChild(arena, true)
}

/** The victim is an execution of our own, long enough to be found in the journal and struck. */
async function killChild({ stage, flow }: Arena, output: boolean): Promise<Course> {
  const sent = Date.now()
  const id = await flow.send({ ms: 1_000, output })
  const victim = await noted(stage.journal, id, sent, 'start')
  await sleep(OUTPUT_AFTER)
  const began = Date.now()
  if (victim !== undefined && isOurs(victim.pid, stage.pool.masterPid)) signalIfThere(victim.pid, 'SIGKILL')
  const recovered = await executingAgain(stage.journal, began)
  return { began, lifted: began, recovered, slots: ALL_SLOTS }
}

/** A pid may have gone to somebody else's process since it was written down. proc(5): "pid (comm) state ppid pgrp". */
function isOurs(pid: number, group: number | undefined): boolean {
  try {
    const [, , pgrp] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return group !== undefined && Number(pgrp) === group
  } catch {
    return false // it has ended
  }
}

/** An execution that hangs; php-fpm ends it by request_terminate_timeout, and a daemon says so. */
export async function hangWorker({ stage, fleet, flow }: Arena): Promise<Course> {
  const began = Date.now()
  const id = await flow.send({ hangs: true })
  const lifted = (await spokenOf(fleet, id, began)) ?? began
  return { began, lifted, recovered: await executingAgain(stage.journal, lifted), slots: ALL_SLOTS }
}

/** Every child is taken for two seconds, and as much again waits: the flow's messages stay in the queue. */
export async function fillPool({ stage, flow }: Arena): Promise<Course> {
  const began = Date.now()
  const ids = await Promise.all(Array.from({ length: 2 * CHILDREN }, () => flow.send({ ms: 2_000 })))
  const ends = await Promise.all(ids.map((id) => executed(stage.journal, id, began)))
  const lifted = Math.max(began, ...ends.map((end) => end ?? 0))
  return { began, lifted, recovered: await executingAgain(stage.journal, lifted), slots: ALL_SLOTS }
}
