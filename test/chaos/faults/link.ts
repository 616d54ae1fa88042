import { setTimeout as sleep } from 'node:timers/promises'
import { WATCHFUL } from '../fleet.ts'
import { consumingAgain } from '../recovery.ts'
import type { Fault } from '../schedule.ts'
import type { Arena, Course } from './arena.ts'

/** RST: perhaps in the middle of a frame. */
export async function resetLink({ fleet }: Arena, { target }: Fault): Promise<Course> {
  const began = Date.now()
  fleet.links[target]?.reset()
  return { began, lifted: began, recovered: await consumingAgain(fleet, began, [target]), slots: [target] }
}

/** RST, and nobody listens for a while. */
export async function refuseLink({ fleet }: Arena, { target, lasts }: Fault): Promise<Course> {
  const link = fleet.links[target]
  const began = Date.now()
  await link?.refuse()
  link?.reset()
  await sleep(lasts)
  await link?.heal()
  const lifted = Date.now()
  return { began, lifted, recovered: await consumingAgain(fleet, lifted, [target]), slots: [target] }
}

/** RST, and whoever connects meanwhile is accepted and not answered. */
export async function silenceLink({ fleet }: Arena, { target, lasts }: Fault): Promise<Course> {
  const link = fleet.links[target]
  const began = Date.now()
  link?.silence()
  link?.reset()
  await sleep(lasts)
  await link?.heal()
  const lifted = Date.now()
  return { began, lifted, recovered: await consumingAgain(fleet, began, [target]), slots: [target] }
}

/** A half-open link: only missing heartbeats tell. A new connection works at once, so the time counts from the freeze. */
export function freezeLink(arena: Arena, { target }: Fault): Promise<Course> {
  // The last daemon has a heartbeat of its own, which is another kind.
  return freeze(arena, target % WATCHFUL)
}

/** The same with a short heartbeat. */
export function loseHeartbeats(arena: Arena): Promise<Course> {
  return freeze(arena, WATCHFUL)
}

async function freeze({ fleet }: Arena, slot: number): Promise<Course> {
  const link = fleet.links[slot]
  const began = Date.now()
  link?.freeze()
  const recovered = await consumingAgain(fleet, began, [slot])
  // What was held up arrives late, on connections that the daemon has left.
  await link?.heal()
  return { began, lifted: began, recovered, slots: [slot] }
}
