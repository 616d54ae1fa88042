import { startBroker } from '../../support/broker.ts'
import { runCommand } from '../command.ts'
import { playCuts } from './model.ts'
import { readOptions } from './options.ts'
import { describe } from './report.ts'
import { brokenPromises } from './tally.ts'

/* npm run cuts: at each point in the life of a message, something is done to it; exits 0 only if every promise was kept. */

const { yes, ...options } = readOptions(process.argv.slice(2))

await runCommand(yes, async (releases) => {
  console.log(`--rounds ${options.rounds} --seed ${options.seed}`)
  const broker = await startBroker()
  releases.push(() => broker.close())
  const { outcomes, imbalances } = await playCuts(broker, options, releases, (line) => console.log(line))
  console.log(`\n${describe(outcomes)}`)
  for (const line of imbalances) console.log(`COUNTED WRONG: ${line}`)
  return brokenPromises(outcomes).length === 0 && imbalances.length === 0
})
