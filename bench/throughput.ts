import { CONTESTANTS, type Contestant } from './contestants.ts'
import { type Drained, drain } from './drain.ts'
import { POOL_CLIENTS, type PoolClient, type PoolRun, poolOnly } from './pool-only.ts'
import { progress } from './progress.ts'
import { executedRequests, type Stage } from './stage.ts'
import { verify } from './verify.ts'
import { type Course, plain } from './work.ts'

/** What each contestant did, round by round. */
export interface ThroughputResult {
  readonly contestants: ReadonlyMap<Contestant, readonly Drained[]>
  readonly clients: ReadonlyMap<PoolClient, readonly PoolRun[]>
}

export interface Rounds {
  /** Of the fastest contestants, in each round. */
  readonly messages: number
  readonly rounds: number
}

/** Messages that each contestant has to execute exactly once before it may start. */
const VERIFIED = 1_000

/**
 * What php-fpm counts as a request and is none of a message: the daemon's questions when it starts, and the end of each
 * kept connection (fpm_request_reading_headers counts before it knows). A kept connection ends after 200 requests.
 */
const notExecuted = (messages: number): number => 50 + messages / 100

/**
 * Messages a second, and CPU per message, of every contestant on the same queue, pool and worker. Rounds are
 * interleaved: whatever disturbs the machine meets all of them.
 */
export async function throughput(
  stage: Stage,
  { messages, rounds }: Rounds,
  all: readonly Contestant[] = CONTESTANTS,
  poolClients: readonly PoolClient[] = POOL_CLIENTS,
  course: Course = plain(stage),
): Promise<ThroughputResult> {
  const contestants = new Map<Contestant, Drained[]>(all.map((contestant) => [contestant, []]))
  const clients = new Map<PoolClient, PoolRun[]>(poolClients.map((client) => [client, []]))
  for (const contestant of all) {
    progress(`verifying ${contestant.name}`)
    await verify(stage, contestant, Math.ceil(VERIFIED * contestant.share), course)
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const contestant of rotated(all, round)) {
      progress(`round ${round} of ${rounds}: ${contestant.name}`)
      const count = Math.ceil(messages * contestant.share)
      contestants.get(contestant)?.push(await measured(stage, contestant, count, course))
    }
    for (const client of rotated(poolClients, round)) {
      progress(`round ${round} of ${rounds}: pool only, ${client.name}`)
      clients
        .get(client)
        ?.push(
          await poolOnly(client, messages, stage.place(course.measured.script, course.pool), course.pool),
        )
    }
  }
  return { contestants, clients }
}

/** Each round begins with another one, so that no one is always measured after the same neighbour. */
function rotated<T>(all: readonly T[], by: number): T[] {
  const first = (by - 1) % all.length
  return [...all.slice(first), ...all.slice(0, first)]
}

/** One run, in which the pool must have executed as many requests as there were messages. */
async function measured(
  stage: Stage,
  contestant: Contestant,
  messages: number,
  { pool, measured: { script, fill } }: Course,
): Promise<Drained> {
  await fill(stage.queue, messages)
  const before = await executedRequests(pool)
  const drained = await drain(stage, contestant, stage.place(script, pool), messages, pool)
  if (contestant.executedBy === 'pool') {
    const executed = (await executedRequests(pool)) - before
    const { carries = 1 } = contestant
    const requests = messages / carries
    // A request may end before it is full.
    const most = carries === 1 ? requests : messages
    if (executed < requests || executed > most + notExecuted(messages)) {
      throw new Error(`${contestant.name}: ${messages} messages, and the pool executed ${executed} requests`)
    }
  }
  return drained
}
