import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { childrenOf } from '../test/support/processes.ts'
import { COMPLETED, CONSUMERS, type Contestant, MANY, REFERENCE } from './contestants.ts'
import { type Latency, latencyOf } from './latency.ts'
import { type Memory, memory } from './memory.ts'
import type { BenchOptions } from './options.ts'
import type { Stage } from './stage.ts'
import { compared, type Target } from './target.ts'
import { type ThroughputResult, throughput } from './throughput.ts'

/** Many messages in a request, beside one in each and beside consumers that live long. */
export interface Many {
  readonly throughput: ThroughputResult
  readonly latency: readonly Latency[]
  readonly memory: Memory
  /** Bytes: the most that any child of the pool has had resident, after a tenth of the messages and at the end. */
  readonly childPeaks: readonly number[]
  /** Files that PHP has left in the temporary folder. */
  readonly filesLeft: number
}

export async function many(stage: Stage, options: BenchOptions, messages: number): Promise<Many> {
  const rounds = await throughput(stage, options, [MANY, COMPLETED, CONSUMERS, REFERENCE], [])
  const latencies = await latencyOf(stage, options.rounds, [MANY, COMPLETED])
  const files = temporaryFiles()
  const childPeaks: number[] = []
  const resident = await memory(stage, messages, MANY, () =>
    childPeaks.push(Math.max(...childrenOf(stage.pool.masterPid).map(peakBytes))),
  )
  return {
    throughput: rounds,
    latency: latencies,
    memory: resident,
    childPeaks,
    filesLeft: Math.max(0, temporaryFiles() - files),
  }
}

export function manyTargets({
  throughput: { contestants },
  latency,
  memory: resident,
  childPeaks,
  filesLeft,
}: Many): Target[] {
  const runs = (contestant: Contestant) => contestants.get(contestant) ?? []
  const rates = (contestant: Contestant) => runs(contestant).map(({ rate }) => rate)
  const daemonCpu = (contestant: Contestant) => runs(contestant).map(({ cpu }) => cpu.daemon)
  const allCpu = (contestant: Contestant) =>
    runs(contestant).map(
      ({ cpu }) => cpu.daemon + cpu.broker + (contestant.executedBy === 'pool' ? cpu.pool : 0),
    )
  const quantile = (contestant: Contestant, which: 'p50' | 'p99') =>
    latency.find(({ name }) => name === contestant.name)?.[which] ?? Number.NaN
  return [
    compared('messages/s, 100 a request / PHP consumers x4', { atLeast: 1.2 }, rates(MANY), rates(CONSUMERS)),
    compared(
      'CPU of all, PHP consumers x4 / 100 a request',
      { atLeast: 1.2 },
      allCpu(CONSUMERS),
      allCpu(MANY),
    ),
    compared('messages/s, 100 a request / 1 a request', { atLeast: 1.8 }, rates(MANY), rates(COMPLETED)),
    compared(
      'CPU of the daemon, 100 a request / 1 a request',
      { atMost: 0.6 },
      daemonCpu(MANY),
      daemonCpu(COMPLETED),
    ),
    compared('messages/s, 100 a request / reference daemon', { atLeast: 3 }, rates(MANY), rates(REFERENCE)),
    ...(['p50', 'p99'] as const).map((which) => ({
      what: `latency ${which} at 100 messages/s, 100 a request / 1 a request`,
      wanted: { atMost: 1 },
      value: quantile(MANY, which) / quantile(COMPLETED, which),
    })),
    {
      what: `resident memory, end / 10 % of ${resident.messages} messages, 100 a request`,
      wanted: { atMost: 1.1 },
      value: (resident.resident.at(-1) ?? Number.NaN) / (resident.resident[0] ?? Number.NaN),
    },
    {
      what: "the pool's children, most memory, end / 10 %",
      wanted: { atMost: 1.1 },
      value: (childPeaks.at(-1) ?? Number.NaN) / (childPeaks[0] ?? Number.NaN),
    },
    { what: 'temporary files left', wanted: { atMost: 0 }, value: filesLeft },
  ]
}

/** proc(5): VmHWM, in KiB. */
function peakBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

const temporaryFiles = (): number => readdirSync(tmpdir()).filter((name) => name.startsWith('php')).length
