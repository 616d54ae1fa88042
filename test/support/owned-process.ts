import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { eventually } from './eventually.ts'
import { forgetGroup, groupIsAlive, noteGroup } from './run-folder.ts'

/** How a process ended: one of the two is null. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process that this run started, with all that it forked: the leader of a process group of its own. */
export interface OwnedProcess {
  readonly child: ChildProcess
  readonly pid: number
  /** How the process itself ended, though perhaps not its group; undefined while it runs. */
  readonly exit: Exit | undefined
  /** Resolves when the process itself has ended and its output is read. Never rejects. */
  readonly exited: Promise<Exit>
  /** Sends a signal to the process alone; does nothing when it has ended. */
  signal(signal: NodeJS.Signals): void
  /** SIGKILL to the whole group; resolves once none of it is left. Idempotent. */
  kill(): Promise<void>
}

export interface SpawnOptions {
  /** The whole environment, not an addition to this process's. */
  readonly env: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly stdio: StdioOptions
}

/**
 * Starts a process that does not outlive the run.
 *
 * @throws when the program cannot be started
 */
export async function spawnOwned(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<OwnedProcess> {
  const child = spawn(command, args, { ...options, detached: true })
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  await new Promise((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) => reject(new Error(`Cannot start ${command}`, { cause })))
  })
  const pid = child.pid as number
  noteGroup(pid, [command, ...args].join(' '))
  // A leader may leave children behind, as a killed php-fpm master does: then the note stays, for kill() or the guard.
  void exited.then(() => groupIsAlive(pid) || forgetGroup(pid))

  return {
    child,
    pid,
    exited,
    get exit() {
      const { exitCode, signalCode } = child
      return exitCode === null && signalCode === null ? undefined : { code: exitCode, signal: signalCode }
    },
    signal(signal) {
      child.kill(signal)
    },
    async kill() {
      await eventually(
        `the processes of group ${pid} are gone`,
        () => {
          if (groupIsAlive(pid)) process.kill(-pid, 'SIGKILL')
          return !groupIsAlive(pid)
        },
        { every: 5 },
      )
      await exited
      forgetGroup(pid)
    },
  }
}
