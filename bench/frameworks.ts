import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { removeFolder, temporaryFolder } from '../test/support/run-folder.ts'
import { bridge, type Contestant } from './contestants.ts'
import type { Drained } from './drain.ts'
import { consoleCommand, FRAMEWORKS, type Framework, type Home, PRODUCTION_INI } from './framework.ts'
import { NUMBER, numberedAs } from './sample.ts'
import { CHILDREN, type Stage, startBenchPool } from './stage.ts'
import { compared, type Target } from './target.ts'
import { type Rounds, type ThroughputResult, throughput } from './throughput.ts'
import type { Work } from './work.ts'

/** One handler of one framework, executed in three ways. */
interface Race {
  readonly framework: Framework
  /** As php/Work.php knows it. */
  readonly does: string
  /** Of the messages of the bench's fastest contestants. */
  readonly share: number
  /** What 100 a request should reach of the framework's consumers. */
  readonly atLeast: number
  readonly many: Contestant
  readonly one: Contestant
  readonly consumers: Contestant
}

const HANDLERS = [
  { name: 'trivial', does: 'nothing', share: 0.5, atLeast: 1.1 },
  { name: '1 ms', does: 'compute', share: 0.15, atLeast: 0.97 },
] as const

/** As docs/symfony.md and docs/laravel.md have it. */
const BRIDGE = ['--ack', 'completed', '--payload', 'raw', '--require-marker']

const RACES: readonly Race[] = FRAMEWORKS.flatMap((framework) =>
  HANDLERS.map(({ name, ...handler }) => {
    const { consume, environment } = framework
    const prefix = `${framework.name}, ${name}:`
    return {
      framework,
      ...handler,
      many: {
        ...bridge('', [...BRIDGE, '--messages-per-request', '100']),
        name: `${prefix} 100 a request`,
        carries: 100,
      },
      one: { ...bridge('', BRIDGE), name: `${prefix} 1 a request`, share: 0.1 },
      consumers: {
        name: `${prefix} ${consume.name} x${CHILDREN}`,
        executedBy: 'itself',
        share: 1,
        processes: CHILDREN,
        environment,
        command: (place) => consoleCommand(framework, place, consume.args),
      },
    }
  }),
)

/** Applications of the frameworks in php-fpm, with the daemon, beside the consumers that the frameworks have. */
export async function frameworks(stage: Stage, { messages, rounds }: Rounds): Promise<ThroughputResult> {
  const contestants = new Map<Contestant, readonly Drained[]>()
  for (const framework of FRAMEWORKS) {
    const folder = temporaryFolder('application')
    const home: Home = { port: stage.broker.port, script: framework.make(folder) }
    const environment = { ...framework.environment(home), RECORDS: stage.records }
    const more = { extensions: framework.extensions.all, ini: PRODUCTION_INI }
    const pool = await startBenchPool(CHILDREN, environment, more)
    try {
      if (framework.warmUp !== undefined) await runConsole(framework, home, framework.warmUp)
      const recorded = await workOf(stage, framework, home, 'record')
      for (const { does, share, many, one, consumers } of RACES.filter(
        (race) => race.framework === framework,
      )) {
        const course = { pool, measured: await workOf(stage, framework, home, does), recorded }
        const counts = { messages: messages * share, rounds }
        const found = await throughput(stage, counts, [many, one, consumers], [], course)
        for (const [contestant, runs] of found.contestants) contestants.set(contestant, runs)
      }
    } finally {
      await pool.close()
      removeFolder(folder)
    }
  }
  return { contestants, clients: new Map() }
}

export function frameworkTargets({ contestants }: ThroughputResult): Target[] {
  const rates = (contestant: Contestant) => (contestants.get(contestant) ?? []).map(({ rate }) => rate)
  return RACES.map(({ atLeast, many, consumers }) =>
    compared(`messages/s, ${many.name} / ${consumers.name}`, { atLeast }, rates(many), rates(consumers)),
  )
}

/** Has the application send a message, and makes many of it. */
async function workOf(stage: Stage, framework: Framework, home: Home, does: string): Promise<Work> {
  await runConsole(framework, home, ['send', does, NUMBER])
  const sample = await stage.queue.take()
  const body = numberedAs(sample)
  return { script: home.script, fill: (queue, count) => queue.fill(count, body, sample.properties) }
}

async function runConsole(framework: Framework, home: Home, args: readonly string[]): Promise<void> {
  const [php = '', ...command] = consoleCommand(framework, home, args)
  await promisify(execFile)(php, command, { env: { ...framework.environment(home) } })
}
