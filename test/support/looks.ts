import { expect } from 'vitest'
import { check } from '../../src/operate/check/check.ts'
import type { Credentials } from '../../src/operate/check/credentials.ts'
import type { Finding } from '../../src/operate/check/finding.ts'
import { type Given, options } from './given.ts'

/** What `fpm-bridge check` has found. */
export interface Looks {
  readonly all: readonly Finding[]
  /** The findings at a point, such as `queues.consume`; of one subject, where that is given. */
  at(point: string, subject?: string): readonly Finding[]
  /** The first of them. Fails where there is none. */
  one(point: string, subject?: string): Finding & { readonly remedy: string }
}

export interface LookSettings {
  readonly probe?: boolean
  readonly who?: Credentials
  readonly unread?: readonly string[]
  /** Milliseconds by which our clock is wrong. */
  readonly clock?: number
}

/** Where nobody is, and that is known at once. */
export const NOWHERE = {
  url: 'amqp://127.0.0.1:1',
  socket: '/nowhere/fpm.sock',
  script: '/nowhere/worker.php',
} as const

/** Looks as `fpm-bridge check` does; what is not given is nowhere. */
export async function look(given: Given, settings: LookSettings = {}): Promise<Looks> {
  const { probe = false, who = { uid: 0, gids: [0] }, unread = [], clock = 0 } = settings
  const { socket, ...common } = NOWHERE
  // Where a file has bridges, each has a socket of its own.
  const nowhere = 'config' in given ? common : { ...common, socket }
  const input = { given: options('check', { ...nowhere, ...given }), unread, who, probe, version: '0' }
  const all: Finding[] = []
  for await (const finding of check({ ...input, now: () => Date.now() + clock })) all.push(finding)
  const at = (point: string, subject?: string) =>
    all.filter(
      (each) => `${each.area}.${each.point}` === point && (subject === undefined || each.subject === subject),
    )
  return {
    all,
    at,
    one(point, subject) {
      const [found] = at(point, subject)
      expect(found, `${point} of ${subject}; there are ${JSON.stringify(all)}`).toBeDefined()
      return { remedy: '', ...(found as Finding) }
    },
  }
}

/** What stands between the back quotes of a remedy: a command, or a line of the pool. */
export function quotedIn(remedy: string): readonly string[] {
  return [...remedy.matchAll(/`(.+?)`/g)].map(([, text = '']) => text)
}
