import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { exitUnprepared, prepareServices } from '../support/prepare.mjs'
import { readOptions } from './options.ts'
import { play } from './play.ts'
import { describe, type Report } from './report.ts'
import type { Releases } from './stage.ts'

/*
 * npm run chaos: prepares and builds, breaks things on services of its own, and exits 0 only if every promise was
 * kept. Ctrl-C and SIGTERM take everything down before it exits with 130 or 143; whatever else should end it, the run
 * folder's guard takes it down.
 */

const root = fileURLToPath(new URL('../..', import.meta.url))
const options = readOptions(process.argv.slice(2))
await prepareServices(options).catch(exitUnprepared)
await build()

const releases: Releases = []
const interrupted = new Promise<NodeJS.Signals>((resolve) => {
  process.once('SIGINT', resolve)
  process.once('SIGTERM', resolve)
  process.once('SIGHUP', resolve)
})

// Whatever the run still says after a signal is about things that are being ended under its feet.
const outcome = await Promise.race([interrupted, perform()])
if (typeof outcome === 'string') console.error(`${outcome}: ending what was started ...`)
for (let release = releases.pop(); release !== undefined; release = releases.pop()) await release()
// What was just about to start when the signal came would otherwise keep this process alive; the guard ends it.
process.exit(typeof outcome === 'string' ? 128 + constants.signals[outcome] : outcome)

/** @returns the exit code */
async function perform(): Promise<number> {
  const { mode, seed, faults, messages, rate, queueType } = options
  console.log(
    `--mode ${mode} --seed ${seed} --faults ${faults} --messages ${messages} --rate ${rate} --queue-type ${queueType}`,
  )
  try {
    const report = await play(options, releases, (line) => console.log(line))
    console.log(`\n${describe(report)}`)
    if (options.json !== undefined) writeFileSync(options.json, `${toJson(report)}\n`)
    return report.broken.length === 0 ? 0 : 1
  } catch (error) {
    console.error(
      `THE RUN DID NOT COME TO ITS END: ${error instanceof Error ? error.message : String(error)}`,
    )
    return 1
  }
}

function toJson(report: Report): string {
  return JSON.stringify({ time: new Date().toISOString(), options, ...report }, null, 2)
}

async function build(): Promise<void> {
  const tsc = spawn('node_modules/.bin/tsc', [], { cwd: root, stdio: ['ignore', 2, 2] })
  const [code] = await once(tsc, 'close')
  if (code !== 0) process.exit(1)
}
