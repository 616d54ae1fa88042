import yargs from 'yargs'
import { SHAPES } from '../support/large-bodies.ts'
import { makeLargeForm } from '../support/large-forms.ts'

/*
 *   npm run fuzz:large -- --bytes 30000000
 *
 * Makes forms of bodies that are large and hard in many ways, each in a process with a heap of 256 MiB. Prints what that
 * took; exits 1 when one crashes or blocks the event loop for more than 200 ms.
 */
const LONGEST = 200

const { bytes } = yargs(process.argv.slice(2))
  .scriptName('npm run fuzz:large --')
  .option('bytes', { type: 'number', default: 30_000_000, describe: 'of each body' })
  .strict()
  .version(false)
  .parseSync()

const columns = (shape: string, longest: string, took: string, held: string, made: string) =>
  console.log(`${shape.padEnd(28)}${longest.padStart(10)}${took.padStart(9)}${held.padStart(9)}  ${made}`)

columns('body', 'blocked ms', 'took ms', 'MB more', 'form')
for (const shape of Object.keys(SHAPES)) {
  try {
    const { longest, milliseconds, held, made } = await makeLargeForm(shape, bytes)
    const form = typeof made === 'number' ? `${made} bytes` : made
    columns(shape, longest.toFixed(0), milliseconds.toFixed(0), (held / 1e6).toFixed(0), form)
    if (longest > LONGEST) process.exitCode = 1
  } catch (error) {
    console.log(`${shape}: ${(error as Error).message}`)
    process.exitCode = 1
  }
}
