import { randomInt } from 'node:crypto'
import yargs from 'yargs'
import { fuzzForm } from '../support/form-fuzz.ts'

/*
 *   npm run fuzz:form -- --documents 200000 --seed 1
 *
 * Compares our forms with PHP's on so many generated bodies. Prints the seed, with which a run can be repeated; exits 1
 * with the smallest body found on which the two differ.
 */
const { documents, seed } = yargs(process.argv.slice(2))
  .scriptName('npm run fuzz:form --')
  .option('documents', { type: 'number', default: 20_000, describe: 'how many bodies' })
  .option('seed', {
    type: 'number',
    default: randomInt(2 ** 31),
    describe: 'a whole number; random by default',
  })
  .strict()
  .version(false)
  .parseSync()

console.log(`Seed ${seed}: ${documents} documents.`)
const started = performance.now()
const { difference, refused, ...run } = await fuzzForm(documents, seed)
if (difference === undefined) {
  const seconds = ((performance.now() - started) / 1_000).toFixed(0)
  console.log(
    `No difference in ${run.documents} documents, ${refused} of them refused by both; ${seconds} s.`,
  )
} else {
  const { document, php, ours } = difference
  console.log(
    `They differ, after ${run.documents} documents, on ${JSON.stringify(document.toString('latin1'))}`,
  )
  console.log(`  as base64: ${document.toString('base64')}\n  PHP:  ${php}\n  ours: ${ours}`)
  process.exitCode = 1
}
