import { setTimeout as sleep } from 'node:timers/promises'
import { ALL_SLOTS } from '../fault-kinds.ts'
import { completingAgain, executingAgain } from '../recovery.ts'
import type { Fault } from '../schedule.ts'
import { takeAway } from '../worker.ts'
import type { Arena, Course } from './arena.ts'

/** Master and children at once; the socket's file stays, and nobody listens on it. */
export async function killPool({ stage }: Arena, { lasts }: Fault): Promise<Course> {
  const began = Date.now()
  await stage.pool.kill()
  await sleep(lasts)
  await stage.pool.start()
  return again(stage, began)
}

/** SIGQUIT: children finish what they are at, and what is in the backlog is reset. */
export async function stopPool({ stage }: Arena, { lasts }: Fault): Promise<Course> {
  const began = Date.now()
  await stage.pool.stop()
  await sleep(lasts)
  await stage.pool.start()
  return again(stage, began)
}

/** A reload that waits for what the children are at. */
export async function reloadPool({ stage }: Arena): Promise<Course> {
  const began = Date.now()
  await stage.pool.reload()
  return again(stage, began)
}

/** A reload that waits for nothing: process_control_timeout=0, php-fpm's default. */
export async function reloadPoolAtOnce({ stage }: Arena): Promise<Course> {
  // The master in charge keeps to the configuration that it has read, and so does the next one.
  stage.setGrace('none')
  await stage.pool.reload()
  stage.setGrace('usual')
  const began = Date.now()
  await stage.pool.reload()
  return again(stage, began)
}

/** The pool runs on, and cannot be reached by name. */
export async function removeSocket({ stage }: Arena, { lasts }: Fault): Promise<Course> {
  return without({ stage }, stage.pool.socket, lasts)
}

/** A deploy that is not atomic: the pool answers `File not found.` for a while. */
export async function removeScript({ stage }: Arena, { lasts }: Fault): Promise<Course> {
  return without({ stage }, stage.script, lasts)
}

/** What the script loads is missing: it ends before the worker has begun, in every execution. */
export async function breakApplication({ stage }: Arena, { lasts }: Fault): Promise<Course> {
  const { began, lifted } = await without({ stage }, stage.application, lasts)
  return { began, lifted, recovered: await completingAgain(stage.journal, lifted), slots: ALL_SLOTS }
}

async function without({ stage }: Pick<Arena, 'stage'>, path: string, lasts: number): Promise<Course> {
  const began = Date.now()
  const bringBack = await takeAway(path)
  await sleep(lasts)
  await bringBack()
  return again(stage, began)
}

async function again({ journal }: Arena['stage'], began: number): Promise<Course> {
  const lifted = Date.now()
  return { began, lifted, recovered: await executingAgain(journal, lifted), slots: ALL_SLOTS }
}
