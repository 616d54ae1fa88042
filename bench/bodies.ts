import { COMPLETED, type Contestant, REFERENCE, SHORTEST, script } from './contestants.ts'
import { drain } from './drain.ts'
import { progress } from './progress.ts'
import type { Stage } from './stage.ts'
import { type Spread, spread } from './statistics.ts'

const KIB = 1024
const SIZES = [KIB, 64 * KIB, 1024 * KIB] as const

/** Bytes that all messages of a run have together at most. */
const VOLUME = 128 * 1024 * KIB

const BODY_CONTESTANTS: readonly Contestant[] = [COMPLETED, SHORTEST, REFERENCE]

export interface BodyRate {
  readonly name: string
  /** Bytes of the JSON. */
  readonly size: number
  /** Messages a second. */
  readonly rate: Spread
}

/** Messages a second by the size of their body: an object with one long string. */
export async function bodies(stage: Stage, rounds: number, messages: number): Promise<BodyRate[]> {
  const results: BodyRate[] = []
  for (const size of SIZES) {
    const rates = new Map<string, number[]>(BODY_CONTESTANTS.map(({ name }) => [name, []]))
    const count = Math.min(messages, VOLUME / size)
    for (let round = 1; round <= rounds; round += 1) {
      for (const contestant of BODY_CONTESTANTS) {
        progress(`bodies of ${size} bytes, round ${round} of ${rounds}: ${contestant.name}`)
        await stage.queue.fill(count, (number) => padded(number, size))
        const { rate } = await drain(stage, contestant, stage.place(script('worker')), count)
        rates.get(contestant.name)?.push(rate)
      }
    }
    for (const [name, values] of rates) results.push({ name, size, rate: spread(values) })
  }
  return results
}

function padded(number: number, size: number): string {
  const body = (text: string) => `{"number":"${number}","text":"${text}"}`
  return body('x'.repeat(size - body('').length))
}
