import { constants } from 'node:os'
import { buildProgram } from '../support/build-program.ts'
import { exitUnprepared, prepareServices } from '../support/prepare.mjs'
import { type Releases, releaseAll } from '../support/releases.ts'

/**
 * Runs a command on services of its own: prepares and builds, performs, takes everything down, and exits: with 0 only if
 * all was well. Ctrl-C and SIGTERM take everything down before it exits with 130 or 143; whatever else should end it,
 * the run folder's guard takes it down.
 *
 * @param yes whether to install missing packages without asking
 * @param perform whether all was well; its releases take down what it started
 */
export async function runCommand(
  yes: boolean,
  perform: (releases: Releases) => Promise<boolean>,
): Promise<never> {
  await prepareServices({ yes }).catch(exitUnprepared)
  await buildProgram()
  const releases: Releases = []
  const interrupted = new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
    process.once('SIGHUP', resolve)
  })
  const performed = perform(releases).catch((error: unknown) => {
    console.error(`THE RUN DID NOT COME TO ITS END: ${error instanceof Error ? error.message : error}`)
    return false
  })
  // Whatever the run still says after a signal is about things that are being ended under its feet.
  const outcome = await Promise.race([interrupted, performed])
  if (typeof outcome === 'string') console.error(`${outcome}: ending what was started ...`)
  await releaseAll(releases)
  // What was just about to start when the signal came would otherwise keep this process alive; the guard ends it.
  process.exit(typeof outcome === 'string' ? 128 + constants.signals[outcome] : outcome ? 0 : 1)
}
