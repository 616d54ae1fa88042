import { writeFileSync } from 'node:fs'
import { runCommand } from './command.ts'
import { readOptions } from './options.ts'
import { play } from './play.ts'
import { describe } from './report.ts'

/* npm run chaos: breaks things on services of its own, and exits 0 only if every promise was kept. */

const options = readOptions(process.argv.slice(2))

await runCommand(options.yes, async (releases) => {
  const { mode, seed, faults, messages, rate, queueType, messagesPerRequest } = options
  console.log(
    `--mode ${mode} --seed ${seed} --faults ${faults} --messages ${messages} --rate ${rate} --queue-type ${queueType} --messages-per-request ${messagesPerRequest}`,
  )
  const report = await play(options, releases, (line) => console.log(line))
  console.log(`\n${describe(report)}`)
  if (options.json !== undefined) {
    const whole = { time: new Date().toISOString(), options, ...report }
    writeFileSync(options.json, `${JSON.stringify(whole, null, 2)}\n`)
  }
  return report.broken.length === 0
})
