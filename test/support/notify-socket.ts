import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'
import { installedProgram } from './installed.mjs'
import { spawnOwned } from './owned-process.ts'

/** What was told at once: `NAME` -> value. */
export interface Told {
  /** Milliseconds of `performance.now()`. */
  readonly at: number
  readonly [assignment: string]: string | number
}

/** A datagram socket as a service manager has one. */
export interface NotifySocket {
  /** What systemd would find in the environment. */
  readonly environment: Readonly<Record<string, string>>
  /** Oldest first, without what systemd-notify says for itself. */
  readonly told: readonly Told[]
  /** Those that assign this. */
  all(name: string): readonly Told[]
  close(): Promise<void>
}

const receiver = fileURLToPath(new URL('php/notify-receiver.php', import.meta.url))

/** @param name a path, or an abstract name after an `@` */
export async function notifySocket(name: string): Promise<NotifySocket> {
  const { child, kill } = await spawnOwned(installedProgram('php'), [receiver, name], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const told: Told[] = []
  let isListening = false
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => {
      const text: string = JSON.parse(line)
      if (text === 'listening') isListening = true
      else if (!text.startsWith('BARRIER=')) told.push({ ...assignmentsOf(text), at: performance.now() })
    })
  await eventually('it listens', () => isListening, { every: 5 })
  return {
    environment: { NOTIFY_SOCKET: name },
    told,
    all: (assigned) => told.filter((each) => assigned in each),
    close: kill,
  }
}

function assignmentsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').map((line) => {
      const end = line.indexOf('=')
      return [line.slice(0, end), line.slice(end + 1)]
    }),
  )
}
