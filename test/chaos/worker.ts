import { copyFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { workerPhp } from '../support/handler-script.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { Journal } from './journal.ts'

/** The worker that does what messages ask for, where its parts can be taken away. */
export interface Worker {
  readonly script: string
  /** What the script loads first, as `vendor/` is loaded. */
  readonly application: string
  readonly journal: Journal
  /** The environment that it needs. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * Its owner closes the journal.
 *
 * @param many whether a request carries many messages to it
 */
export function installWorker(many = false): Worker {
  const folder = temporaryFolder('worker')
  const install = (from: string, name = from): string => {
    copyFileSync(fileURLToPath(new URL(`php/${from}`, import.meta.url)), join(folder, name))
    return join(folder, name)
  }
  const script = install(many ? 'many-worker.php' : 'worker.php', 'worker.php')
  const application = install('application.php')
  const path = join(folder, 'journal')
  return {
    script,
    application,
    journal: new Journal(path),
    environment: { CHAOS_JOURNAL: path, CHAOS_PACKAGE: workerPhp },
  }
}

/** Renames a file, and resolves with what brings it back. */
export async function takeAway(path: string): Promise<() => Promise<void>> {
  await rename(path, `${path}.away`)
  return () => rename(`${path}.away`, path)
}
