import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/*
 * One temporary folder for everything that a run (of the tests, of the demo) starts and writes. Its subfolder
 * `groups` notes each process group that the run owns, in a file named after the group. So whoever comes last knows
 * what is left: the guard when the run dies, the leak check when it ends.
 */

const RUN_FOLDER = 'TEST_RUN_FOLDER'
const guardScript = fileURLToPath(new URL('guard.sh', import.meta.url))

/**
 * The folder of this run. The first process to ask makes it, with a guard that removes it when that process is gone;
 * processes started later find it in their environment.
 */
export function runFolder(): string {
  const inherited = process.env[RUN_FOLDER]
  if (inherited !== undefined) return inherited
  const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-'))
  mkdirSync(join(folder, 'groups'))
  // In a session of its own: Ctrl-C on the terminal reaches the owner, and the guard only through it.
  const guard = spawn('sh', [guardScript, folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  guard.unref()
  // The pipe of a child is a socket, which must not keep the owner alive either.
  if (guard.stdin !== null && 'unref' in guard.stdin) (guard.stdin as { unref(): void }).unref()
  process.env[RUN_FOLDER] = folder
  return folder
}

/** Makes a folder inside the run's, `<name>-XXXXXX`, for its one owner to remove. */
export function temporaryFolder(name: string): string {
  return mkdtempSync(join(runFolder(), `${name}-`))
}

/** Removes a folder of temporaryFolder with all it holds. Fine if it is gone already. */
export function removeFolder(folder: string): void {
  // A process that is just ending may still write a last file: hence the retries.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
}

/** Notes that the run owns this process group. */
export function noteGroup(group: number, command: string): void {
  writeFileSync(join(runFolder(), 'groups', String(group)), command)
}

/** Takes the note away again, once no process of the group is left. */
export function forgetGroup(group: number): void {
  rmSync(join(runFolder(), 'groups', String(group)), { force: true })
}

/** The process groups of this run that still have a process. */
export function livingGroups(): { group: number; command: string }[] {
  const notes = join(runFolder(), 'groups')
  return readdirSync(notes)
    .map((name) => ({ group: Number(name), command: readFileSync(join(notes, name), 'utf8') }))
    .filter(({ group }) => groupIsAlive(group))
}

/**
 * Whether any process is left in the group. Zombies do not count: orphans stay that until process 1 looks after them,
 * which in a container may be a second later or never.
 */
export function groupIsAlive(group: number): boolean {
  return readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid)) return false
    // proc(5): "pid (comm) state ppid pgrp ...", where comm may itself hold spaces and parentheses.
    const [state, , pgrp] = readStat(pid)
      .replace(/^.*\) /s, '')
      .split(' ')
    return Number(pgrp) === group && state !== 'Z' && state !== 'X'
  })
}

function readStat(pid: string): string {
  try {
    return readFileSync(join('/proc', pid, 'stat'), 'utf8')
  } catch {
    return '' // ended since the folder was read
  }
}
