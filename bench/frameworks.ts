import { Application } from './application.ts'
import { bridge, type Contestant } from './contestants.ts'
import type { Drained } from './drain.ts'
import { consoleCommand, FRAMEWORKS, type Framework } from './framework.ts'
import { CHILDREN, type Stage } from './stage.ts'
import { compared, type Target } from './target.ts'
import { type Rounds, type ThroughputResult, throughput } from './throughput.ts'

interface Handler {
  readonly name: string
  /** As php/Work.php knows it. */
  readonly does: string
  /** Of the messages of the bench's fastest contestants. */
  readonly share: number
  /** What 100 a request should reach of the framework's consumers. */
  readonly atLeast: number
}

/** One handler of one framework, executed in three ways. */
interface Race {
  readonly name: string
  readonly framework: Framework
  readonly handler: Handler
  readonly many: Contestant
  readonly one: Contestant
  readonly consumers: Contestant
}

const HANDLERS: readonly Handler[] = [
  { name: 'trivial', does: 'nothing', share: 1, atLeast: 1.1 },
  { name: '1 ms', does: 'compute', share: 0.5, atLeast: 0.97 },
]

/** As docs/symfony.md and docs/laravel.md have it. */
const BRIDGE = ['--ack', 'completed', '--payload', 'raw', '--require-marker']

const RACES: readonly Race[] = FRAMEWORKS.flatMap((framework) =>
  HANDLERS.map((handler) => raceOf(framework, handler)),
)

function raceOf(framework: Framework, handler: Handler): Race {
  const { consume, environment } = framework
  const name = `${framework.name}, ${handler.name}`
  const many = bridge('', [...BRIDGE, '--messages-per-request', '100'])
  return {
    name,
    framework,
    handler,
    many: { ...many, name: `${name}: 100 a request`, carries: 100 },
    one: { ...bridge('', BRIDGE), name: `${name}: 1 a request`, share: 0.1 },
    consumers: {
      name: `${name}: ${consume.name} x${CHILDREN}`,
      executedBy: 'itself',
      share: 1,
      processes: CHILDREN,
      environment,
      command: (place) => consoleCommand(framework, place, consume.args),
    },
  }
}

/** Applications of the frameworks in php-fpm, with the daemon, beside the consumers that the frameworks have. */
export async function frameworks(stage: Stage, { messages, rounds }: Rounds): Promise<ThroughputResult> {
  const contestants = new Map<Contestant, readonly Drained[]>()
  for (const framework of FRAMEWORKS) {
    const application = await Application.open(stage, framework)
    try {
      const recorded = await application.work('record')
      for (const { handler, many, one, consumers } of RACES.filter((race) => race.framework === framework)) {
        const course = { pool: application.pool, measured: await application.work(handler.does), recorded }
        const counts = { messages: messages * handler.share, rounds }
        const found = await throughput(stage, counts, [many, one, consumers], [], course)
        for (const [contestant, runs] of found.contestants) contestants.set(contestant, runs)
      }
    } finally {
      await application.close()
    }
  }
  return { contestants, clients: new Map() }
}

export function frameworkTargets({ contestants }: ThroughputResult): Target[] {
  const rates = (contestant: Contestant) => (contestants.get(contestant) ?? []).map(({ rate }) => rate)
  return RACES.map(({ name, framework, handler: { atLeast }, many, consumers }) => {
    const what = `messages/s, ${name}, 100 a request / ${framework.consume.name} x${CHILDREN}`
    return compared(what, { atLeast }, rates(many), rates(consumers))
  })
}
