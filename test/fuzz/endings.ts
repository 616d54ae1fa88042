import yargs from 'yargs'
import { DEEDS, type Deed, type Ending, observeEndings } from '../support/endings.ts'

/*
 *   npm run fuzz:endings -- --rounds 20
 *
 * Ends requests in every way in which a pool can end them, with the empty stdin record withheld and with it sent, and counts
 * which of them their script had begun. Exits 1 when one was executed of which we say, with the record withheld, that it was not
 * read.
 */
const { rounds } = yargs(process.argv.slice(2))
  .scriptName('npm run fuzz:endings --')
  .option('rounds', { type: 'number', default: 10, describe: 'how often each thing is done to each pool' })
  .strict()
  .version(false)
  .parseSync()

const all = new Map<string, Ending>()
let wrong = 0
for (const endOfStdin of [false, true]) {
  for (const deed of Object.keys(DEEDS) as Deed[]) {
    for (const bodyBytes of [0, 2_000, 300_000]) {
      for (const kept of [true, false]) {
        const { endings } = await observeEndings({ deed, rounds, endOfStdin, bodyBytes, kept })
        for (const { how, executed, notExecuted } of endings) {
          const key = `${endOfStdin ? 'sent' : 'withheld'} | ${bodyBytes > 65_536 ? 'large' : 'one write'} | ${how}`
          const sum = all.get(key) ?? { how: key, executed: 0, notExecuted: 0 }
          all.set(key, {
            how: key,
            executed: sum.executed + executed,
            notExecuted: sum.notExecuted + notExecuted,
          })
          if (!endOfStdin && how.includes('unread')) wrong += executed
        }
      }
    }
    console.error(`${deed}, record ${endOfStdin ? 'sent' : 'withheld'}: done`)
  }
}
console.log('| the empty stdin record | request | how it ended | executed | not |\n|---|---|---|---|---|')
for (const { how, executed, notExecuted } of [...all.values()].toSorted((a, b) => a.how.localeCompare(b.how)))
  console.log(`| ${how} | ${executed} | ${notExecuted} |`)
process.exitCode = wrong > 0 ? 1 : 0
