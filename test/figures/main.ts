import { runCommand } from '../chaos/command.ts'
import { type Figure, missed } from '../chaos/figures.ts'
import { limits } from '../chaos/report.ts'
import { startBroker } from '../support/broker.ts'
import { type Releases, releaseAll } from '../support/releases.ts'
import type { Measurement } from './figure.ts'
import { MEASUREMENTS, readOptions } from './options.ts'

/* npm run figures: measures what the docs quote; exits 0 only if every figure is within its limit. */

const { yes, only, kills } = readOptions(process.argv.slice(2))

await runCommand(yes, async (releases) => {
  const figures: Figure[] = []
  for (const name of only) {
    console.log(`${name} ...`)
    figures.push(...(await measure(MEASUREMENTS[name], releases)))
  }
  console.log(`\n${limits(figures)}`)
  return missed(figures).length === 0
})

/** On a broker of its own, which is gone afterwards. */
async function measure(measurement: Measurement, releases: Releases): Promise<readonly Figure[]> {
  const before = releases.length
  const broker = await startBroker()
  releases.push(() => broker.close())
  const figures = await measurement({ broker, releases, kills, say: (line) => console.log(`  ${line}`) })
  await releaseAll(releases, before)
  return figures
}
