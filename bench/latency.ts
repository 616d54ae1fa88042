import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { PoolClient } from '../src/fastcgi/client.ts'
import { eventually } from '../test/support/eventually.ts'
import { COMPLETED, type Contestant, DISPATCHED, REFERENCE, script } from './contestants.ts'
import { emptied } from './drain.ts'
import { progress } from './progress.ts'
import type { Stage } from './stage.ts'
import { percentile } from './statistics.ts'
import { readRecorded } from './verify.ts'

/** Milliseconds between two messages: 100 a second, which leaves the machine idle most of the time. */
const INTERVAL = 10
/** Messages in each round, and those before that do not count. */
const MESSAGES = 400
const WARM_UP = 100
/** Messages at full speed before that: a daemon that has run for a while has its code compiled. */
const BURST = 5_000
/** Milliseconds after which what the pool still has of the burst is executed. */
const QUIET = 500

/** Milliseconds from publish, or from the request, to the first line of the worker. */
export interface Latency {
  readonly name: string
  readonly p50: number
  readonly p99: number
}

/** The names of the two that have no broker in between: the same client, in this process. */
export const DIRECT = { kept: 'direct, kept connection', fresh: 'direct, connection per request' } as const

const BRIDGED: readonly Contestant[] = [COMPLETED, DISPATCHED, REFERENCE]

/** Of what has a broker in between, and of what has none. */
export function latency(stage: Stage, rounds: number): Promise<Latency[]> {
  return latencyOf(stage, rounds, BRIDGED, [DIRECT.kept, DIRECT.fresh])
}

export async function latencyOf(
  stage: Stage,
  rounds: number,
  bridges: readonly Contestant[],
  directly: readonly string[] = [],
): Promise<Latency[]> {
  const samples = new Map<string, number[]>()
  const add = async (name: string, round: number, sending: Promise<number[]>) => {
    progress(`latency, round ${round} of ${rounds}: ${name}`)
    samples.set(name, [...(samples.get(name) ?? []), ...(await sending)])
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const contestant of bridges) await add(contestant.name, round, bridged(stage, contestant))
    for (const name of directly) await add(name, round, direct(stage, name === DIRECT.kept))
  }
  return [...samples].map(([name, values]) => {
    const sorted = values.sort((a, b) => a - b)
    return { name, p50: percentile(sorted, 50), p99: percentile(sorted, 99) }
  })
}

async function bridged(stage: Stage, contestant: Contestant): Promise<number[]> {
  const processes = await stage.start(contestant, stage.place(script('recording-worker')))
  try {
    await stage.queue.fill(BURST)
    await emptied(stage, processes)
    await sleep(QUIET)
    const measured = await paced(stage, (number, published) =>
      stage.queue.publish(JSON.stringify({ number, published })),
    )
    await stage.stop(processes)
    return measured
  } finally {
    for (const owned of processes) await owned.kill()
  }
}

async function direct(stage: Stage, keepAlive: boolean): Promise<number[]> {
  const client = new PoolClient({
    address: { kind: 'unix', path: stage.pool.socket },
    params: {
      REQUEST_METHOD: 'POST',
      SCRIPT_FILENAME: script('recording-worker'),
      SCRIPT_NAME: '/recording-worker.php',
      CONTENT_TYPE: 'application/x-www-form-urlencoded',
    },
    maxResponse: 1024,
    maxStderr: 1024,
    keepAlive,
    timeout: 5_000,
    statusPath: '/status',
  })
  const requests: Promise<unknown>[] = []
  for (let number = 1; number <= BURST; number += 1) {
    await client.request({ params: {}, body: Buffer.from(`number=${number}`) })
  }
  const measured = await paced(stage, (number, published) => {
    const body = Buffer.from(`number=${number}&published=${published}`)
    requests.push(client.request({ params: {}, body }))
  })
  // The worker writes before it answers; a connection that is still busy would be kept, and a child with it.
  await Promise.all(requests)
  client.close()
  return measured
}

/** Sends at an even pace, each with the clock of that moment, and reads what the worker wrote down. */
async function paced(stage: Stage, send: (number: string, published: string) => void): Promise<number[]> {
  rmSync(stage.records, { force: true })
  const started = performance.now()
  const all = WARM_UP + MESSAGES
  for (let number = 1; number <= all; number += 1) {
    await sleep(Math.max(0, started + number * INTERVAL - performance.now()))
    send(String(number), String(process.hrtime.bigint()))
  }
  const recorded = await eventually(`${all} messages are executed`, () => {
    const seen = readRecorded(stage.records)
    return seen.length >= all && seen
  })
  return recorded
    .filter(({ number }) => number > WARM_UP)
    .map((execution) => Number(execution.started - execution.published) / 1_000_000)
}
