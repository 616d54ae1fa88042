import { constants } from 'node:os'
import { buildProgram } from '../support/build-program.ts'
import { exitUnprepared, prepareServices } from '../support/prepare.mjs'
import { type Releases, releaseAll } from '../support/releases.ts'
import { readOptions } from './options.ts'
import { play } from './play.ts'
import { openScreen } from './screen.ts'
import { openStage } from './stage.ts'

/*
 * The demo: prepares and builds, plays once on services of its own, and exits 0 only if every message was executed
 * once and nothing is left. Ctrl-C and SIGTERM take everything down before it exits with 130 or 143; whatever else
 * should end it, the run folder's guard takes it down.
 */

const options = readOptions(process.argv.slice(2))
await prepareServices(options).catch(exitUnprepared)
await buildProgram()

const daemonIds = Array.from({ length: options.daemons }, (_, n) => `D-${n + 1}`)
const screen = openScreen(process.stdout, options, daemonIds)
const releases: Releases = []
const interrupted = new Promise<NodeJS.Signals>((resolve) => {
  process.once('SIGINT', resolve)
  process.once('SIGTERM', resolve)
  process.once('SIGHUP', resolve)
})

// Whatever perform() still says after a signal is about things that are being ended under its feet.
const outcome = await Promise.race([interrupted, perform()])
screen.leave()
for (const line of report(outcome)) screen.say(line)
await releaseAll(releases)
// What was just about to start when the signal came would otherwise keep this process alive; the guard ends it.
process.exit(exitCode(outcome))

/** @returns what is not as it should be; empty when all is well */
async function perform(): Promise<readonly string[]> {
  try {
    screen.say('Starting a private RabbitMQ and a private php-fpm ...')
    return await play(await openStage(options, releases), options, daemonIds, screen)
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

function report(outcome: NodeJS.Signals | readonly string[]): readonly string[] {
  if (typeof outcome === 'string') return [`${outcome}: ending what was started ...`]
  if (outcome.length > 0) return outcome.map((fault) => `NOT AS IT SHOULD BE: ${fault}`)
  return ['Every message was executed as often as it was published, and nothing is left.']
}

function exitCode(outcome: NodeJS.Signals | readonly string[]): number {
  if (typeof outcome === 'string') return 128 + constants.signals[outcome]
  return outcome.length === 0 ? 0 : 1
}
