import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from './pool.ts'
import { type PageChild, readPage } from './pool-page.ts'
import { bytesRead, isAlive, isAsleep, isStopped, signalIfThere } from './processes.ts'

/** An execution that a child is at. */
export interface Standing {
  readonly executionId: string
  readonly pid: number
}

/** Milliseconds between two tries. */
const PAUSE = 2
const MOST_TRIES = 500

/** A child that has not read its request whole is in one of them; so is, for a moment, one that has. */
const READING: readonly PageChild['state'][] = ['Reading headers', 'Getting request informations']

/**
 * Stops the children of a pool (SIGSTOP), at a moment at which it is certain what each is at: php-fpm says so, and where it does not, the
 * kernel. Whoever is killed then has executed just what is returned, even if its script's first line was still to come.
 *
 * @returns what they are executing; of a request that carries many messages, that one
 * @throws where they come to no such moment
 */
export async function stopChildren(pool: Pick<Pool, 'statusSocket'>): Promise<readonly Standing[]> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const children = ((await readPage(pool)) ?? []).map(({ pid }) => ({
      pid,
      still: isStill(pid),
      read: bytesRead(pid),
    }))
    for (const { pid } of children) signalIfThere(pid, 'SIGSTOP')
    // One that holds the scoreboard's lock stands still, too.
    const page = await whenStopped(children, pool)
    const isWaiting = ({ pid }: PageChild) =>
      children.some((child) => child.pid === pid && child.still && child.read === bytesRead(pid))
    const isCertain = page?.every((child) => !READING.includes(child.state) || isWaiting(child))
    if (page !== undefined && isCertain) return page.flatMap(executionOf)
    for (const { pid } of children) signalIfThere(pid, 'SIGCONT')
    await sleep(PAUSE)
  }
  throw new Error(`In ${MOST_TRIES} tries the children were never all at something certain.`)
}

/** @returns undefined where it is not to be had, or some child is not among these */
async function whenStopped(
  children: readonly { readonly pid: number }[],
  pool: Pick<Pool, 'statusSocket'>,
): Promise<readonly PageChild[] | undefined> {
  while (children.some(({ pid }) => !isStopped(pid))) {
    if (!children.every(({ pid }) => isAlive(pid))) return undefined
    await sleep(1)
  }
  const page = await readPage(pool)
  const known = new Set(children.map(({ pid }) => pid))
  return page !== undefined && page.length > 0 && page.every(({ pid }) => known.has(pid)) ? page : undefined
}

/** It waits for something, or is stopped: it does not read. */
const isStill = (pid: number): boolean => isAsleep(pid) || isStopped(pid)

function executionOf({ pid, state, 'request uri': uri }: PageChild): Standing[] {
  if (state === 'Idle' || READING.includes(state)) return []
  const executionId = /[?&]execution=([^&]+)/.exec(uri)?.[1]
  return executionId === undefined ? [] : [{ executionId, pid }]
}
