import { randomInt } from 'node:crypto'
import yargs from 'yargs'
import { startBroker } from '../support/broker.ts'
import { fuzzHeaders } from '../support/header-fuzz.ts'

/*
 *   npm run fuzz:headers -- --tables 100000 --seed 1
 *
 * Sends so many generated header tables through both copies of their messages, half by classic and half by quorum queues of a
 * broker of its own. Prints the seed, with which a run can be repeated; exits 1 with a table of which a copy differs.
 */
const { tables, seed } = yargs(process.argv.slice(2))
  .scriptName('npm run fuzz:headers --')
  .option('tables', { type: 'number', default: 10_000, describe: 'how many header tables' })
  .option('seed', {
    type: 'number',
    default: randomInt(2 ** 31),
    describe: 'a whole number; random by default',
  })
  .strict()
  .version(false)
  .parseSync()

console.log(`Seed ${seed}: ${tables} header tables.`)
const broker = await startBroker()
try {
  for (const type of ['classic', 'quorum'] as const) {
    const started = performance.now()
    const { difference, lost, ...run } = await fuzzHeaders(broker, `fuzz-${type}`, tables / 2, seed, type)
    const seconds = ((performance.now() - started) / 1_000).toFixed(0)
    console.log(`${type}: ${run.tables} tables, ${lost} lost connections, ${seconds} s.`)
    if (difference === undefined && lost === 0) continue
    console.log(`They differ: ${JSON.stringify(difference)}`)
    process.exitCode = 1
  }
} finally {
  await broker.close()
}
