import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { eventually, Hopeless } from './eventually.ts'
import { type Exit, spawnOwned } from './owned-process.ts'

/** A line of the JSON log. What is not JSON, such as a stack trace, becomes a message without a level. */
export interface LogLine {
  readonly level?: string
  readonly message: string
  /** All names are in snake_case. */
  readonly [field: Lowercase<string>]: unknown
}

/** A process of the built fpm-bridge. */
export interface BridgeProcess {
  readonly pid: number
  /** The lines of stderr so far, oldest first. */
  readonly log: readonly LogLine[]
  /** The lines of stdout so far. */
  readonly stdout: readonly string[]
  /** How the process ended; undefined while it runs. */
  readonly exit: Exit | undefined
  /** Resolves when the process has ended and all its output is read. Never rejects. */
  readonly exited: Promise<Exit>
  /**
   * Resolves with the first line, past ones included, that contains the text or meets the condition. Fails at
   * once when the process ends without it, with the log in the message.
   */
  waitForLine(match: string | ((line: LogLine) => boolean)): Promise<LogLine>
  signal(signal: NodeJS.Signals): void
  /** Resident set size in bytes. Throws when the process has ended. */
  residentBytes(): number
  /** The number of open file descriptors. Throws when the process has ended. */
  openFiles(): number
  /** SIGKILL, with its children. Idempotent. */
  kill(): Promise<void>
}

const entryPoint = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/**
 * Starts the built command line under this very Node. Of the environment it gets PATH and HOME only.
 *
 * @param args such as `['run', '--socket', ...]`
 * @param environment added to it
 * @param under a command that executes the one it is given, such as `['setpriv', ...]`
 * @param program another build of it
 */
export async function spawnBridge(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  under: readonly string[] = [],
  program = entryPoint,
): Promise<BridgeProcess> {
  const { PATH, HOME } = process.env
  const [command, ...rest] = [...under, process.execPath, program, ...args] as [string, ...string[]]
  const owned = await spawnOwned(command, rest, {
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log: LogLine[] = []
  const stdout: string[] = []
  readLines(owned.child.stderr, (line) => log.push(parseLogLine(line)))
  readLines(owned.child.stdout, (line) => stdout.push(line))
  const { pid, exited, signal, kill } = owned
  // Not `owned.exit`: that is known before its last lines are read.
  let ended = false
  void exited.then(() => {
    ended = true
  })

  return {
    pid,
    log,
    stdout,
    exited,
    get exit() {
      return owned.exit
    },
    signal,
    kill,
    waitForLine(match) {
      const matches =
        typeof match === 'function' ? match : (line: LogLine) => JSON.stringify(line).includes(match)
      const text = () => log.map((line) => JSON.stringify(line)).join('\n')
      const look = () => {
        const found = log.find(matches)
        if (found === undefined && ended)
          throw new Hopeless(`fpm-bridge ended without the line. Its log:\n${text()}`)
        if (found === undefined) throw new Error(`Its log:\n${text()}`)
        return found
      }
      return eventually(`fpm-bridge logs ${match}`, look, { every: 10 })
    },
    residentBytes() {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
    },
    openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
  }
}

/** A second signal to a daemon that drains. One within a second of the first would be taken for the same. */
export async function leaveAtOnce(daemon: BridgeProcess): Promise<void> {
  await sleep(1_100)
  daemon.signal('SIGTERM')
}

/** Runs a command that ends by itself, such as `publish`. Resolves with how it ended and what it wrote. */
export async function runBridge(
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<Exit & Pick<BridgeProcess, 'log' | 'stdout'>> {
  const { exited, log, stdout } = await spawnBridge(args, environment)
  return { ...(await exited), log, stdout }
}

function readLines(stream: Readable | null, take: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', take)
}

function parseLogLine(line: string): LogLine {
  try {
    const parsed: unknown = JSON.parse(line)
    if (typeof parsed === 'object' && parsed !== null) return { message: '', ...parsed }
  } catch {
    // Node's own words about an uncaught error.
  }
  return { message: line }
}
