import { Execution } from '../../bridge/execution.ts'
import { BytesInFlight } from '../../bridge/gates/bytes-in-flight.ts'
import type { BridgeConfig } from '../../config/bridge-config.ts'
import { type Durations, Histogram } from '../../observe/histogram.ts'
import { deliveryOf, type InvokedMessage } from './invoked-delivery.ts'
import type { Invoked, Invoker } from './invoker.ts'
import type { Verdict } from './verdict.ts'

/** How many executions had one outcome by one row of the table. */
export interface CountedVerdict extends Verdict {
  readonly count: number
}

export type LoadEnd = 'done' | 'stopped' | 'no-pool'

/** What is known of a message that was invoked again and again. */
export interface LoadReport {
  /** Executions that have an outcome. */
  readonly done: number
  /** `no-pool`: a daemon would dispatch nothing more, either. */
  readonly end: LoadEnd
  /** Requests at a time, at most. */
  readonly concurrency: number
  readonly seconds: number
  readonly perSecond: number
  /** Milliseconds; of those that were answered. */
  readonly connect: Durations
  readonly firstByte: Durations
  /** Milliseconds; of all. */
  readonly total: Durations
  /** The most frequent first; what each says is that of the first execution with it. */
  readonly verdicts: readonly CountedVerdict[]
}

export interface LoadOptions {
  /** Executions, from 1. */
  readonly repeat: number
  /** Called after each, with how many are done. */
  readonly onDone?: (done: number) => void
}

/**
 * Has the pool execute a message `repeat` times, `concurrency` of the configuration at a time, fewer where the bodies are as large as
 * `maxBytesInFlight`. Takes the same memory however often.
 */
export async function runLoad(
  invoker: Invoker,
  config: BridgeConfig,
  message: InvokedMessage,
  { repeat, onDone = () => {} }: LoadOptions,
): Promise<LoadReport> {
  const tally = new Tally()
  const concurrency = atATime(config, message, repeat)
  const started = performance.now()
  let left = repeat
  let end: LoadEnd = 'done'
  const loop = async (): Promise<void> => {
    while (left > 0 && end === 'done') {
      left -= 1
      const invoked = await invoker.invoke(message)
      if (invoked === 'stopped') {
        end = 'stopped'
        return
      }
      onDone(tally.add(invoked))
      if (invoked.verdict.noPool) end = 'no-pool'
    }
  }
  await Promise.all(Array.from({ length: concurrency }, loop))
  return { ...tally.report((performance.now() - started) / 1_000), end, concurrency }
}

/** As many as a daemon would have in flight. */
function atATime(config: BridgeConfig, message: InvokedMessage, repeat: number): number {
  const gate = new BytesInFlight(config)
  const execution = new Execution(deliveryOf(message, config), config)
  const most = Math.min(config.concurrency, repeat)
  let count = 0
  for (; count < most && gate.admits() === 'yes'; count += 1) gate.onStart(execution)
  return count
}

class Tally {
  #done = 0
  readonly #connect = new Histogram()
  readonly #firstByte = new Histogram()
  readonly #total = new Histogram()
  readonly #verdicts = new Map<string, { first: Verdict; count: number }>()

  /** @returns how many there are */
  add({ answer, totalMs, verdict }: Invoked): number {
    if (answer !== undefined) {
      this.#connect.add(answer.timings.connect)
      this.#firstByte.add(answer.timings.firstByte)
    }
    this.#total.add(totalMs)
    const key = `${verdict.outcome} ${verdict.row}`
    const counted = this.#verdicts.get(key)
    if (counted === undefined) this.#verdicts.set(key, { first: verdict, count: 1 })
    else counted.count += 1
    this.#done += 1
    return this.#done
  }

  report(seconds: number): Omit<LoadReport, 'end' | 'concurrency'> {
    return {
      done: this.#done,
      seconds,
      perSecond: seconds > 0 ? this.#done / seconds : 0,
      connect: this.#connect.durations,
      firstByte: this.#firstByte.durations,
      total: this.#total.durations,
      verdicts: [...this.#verdicts.values()]
        .map(({ first, count }) => ({ ...first, count }))
        .sort((one, other) => other.count - one.count),
    }
  }
}
