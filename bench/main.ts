import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bodies } from './bodies.ts'
import { utilisation } from './children.ts'
import { bothOf, COMPLETED, DISPATCHED } from './contestants.ts'
import { form } from './form.ts'
import { frameworks } from './frameworks.ts'
import { toJson } from './json.ts'
import { latency } from './latency.ts'
import { describeMachine } from './machine.ts'
import { many } from './many.ts'
import { memory } from './memory.ts'
import { type BenchOptions, readOptions, type Section } from './options.ts'
import { picture } from './picture.ts'
import { progress } from './progress.ts'
import { describe } from './report.ts'
import type { Results } from './results.ts'
import { Stage } from './stage.ts'
import { startTime } from './start-time.ts'
import { targets, targetTable } from './targets.ts'
import { throughput } from './throughput.ts'
import { throughputRows } from './throughput-table.ts'

const MILLION = 1_000_000
/** Messages of the memory section without --million. */
const SHORT_MEMORY = 50_000

const pictureFile = fileURLToPath(new URL('../docs/bench.svg', import.meta.url))

/** npm run bench: the sections one after the other, on one broker and one pool of 4 static children. */
async function main(options: BenchOptions): Promise<void> {
  const stage = await Stage.open()
  try {
    const { rabbitmq_version: version } = await stage.broker.api<{ rabbitmq_version: string }>(
      'GET',
      '/overview',
    )
    const machine = await describeMachine(version)
    console.log(`${machine}\n`)
    const results: Results = {}
    for (const section of options.only) {
      const found = await measure(section, stage, options)
      progress('')
      console.log(`${describe(found)}\n`)
      Object.assign(results, found)
      // What there is so far, should a later section fail.
      writeFileSync(options.json, `${toJson(machine, { ...options }, results)}\n`)
    }
    const reached = targets(results)
    if (reached.length > 0) console.log(`${targetTable(reached)}\n`)
    console.log(`All figures: ${options.json}`)
    if (options.svg && results.throughput !== undefined) {
      writeFileSync(pictureFile, picture(throughputRows(results.throughput), machine))
      console.log(`Picture: ${pictureFile}`)
    }
  } finally {
    await stage.close()
  }
}

/** @returns the one member of the results that is the section's */
async function measure(section: Section, stage: Stage, options: BenchOptions): Promise<Results> {
  const { rounds, messages, million } = options
  switch (section) {
    case 'start':
      return { startTime: await startTime(stage, options.before) }
    case 'throughput':
      return { throughput: await throughput(stage, options) }
    case 'modes': {
      const before = options.before === undefined ? [] : bothOf(options.before)
      return { modes: await throughput(stage, options, [COMPLETED, DISPATCHED, ...before], []) }
    }
    case 'many':
      return { many: await many(stage, options, million ? MILLION : SHORT_MEMORY) }
    case 'frameworks':
      return { frameworks: await frameworks(stage, options) }
    case 'latency':
      return { latency: await latency(stage, rounds) }
    case 'children':
      return { utilisation: await utilisation(stage, rounds) }
    case 'memory':
      return { memory: await memory(stage, million ? MILLION : SHORT_MEMORY) }
    case 'bodies':
      return { bodies: await bodies(stage, rounds, messages) }
    case 'form':
      return { form: form(rounds) }
  }
}

await main(readOptions(process.argv.slice(2)))
