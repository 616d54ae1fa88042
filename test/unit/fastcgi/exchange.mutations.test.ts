import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Exchange } from '../../../src/fastcgi/exchange.ts'
import { FastCgiError } from '../../../src/fastcgi/types.ts'
import { liveBytes } from '../../support/heap.ts'
import { RECORDED } from '../../support/recorded-answer.ts'

/*
 * Answers gone wrong, as many as one likes: MUTATIONS sets their number, MUTATION_SEED where they begin. A failure
 * names the seed and the smallest answer that fails.
 *
 *   MUTATIONS=2000000 MUTATION_SEED=7 npx vitest run --config test/vitest.config.ts exchange.mutations
 */
const RUNS = Number(process.env['MUTATIONS'] ?? 20_000)
const SEED = Number(process.env['MUTATION_SEED'] ?? 1)
/** Milliseconds for all of them together. */
const TIME = 20_000 + RUNS

const LIMITS = { maxResponse: 1_000, maxStderr: 20 }

/** What a whole answer may end in. */
const CODES = ['MALFORMED_ANSWER', 'EMPTY_ANSWER', 'REQUEST_REFUSED']

/** One change of an answer. */
type Mutation = (bytes: Buffer) => Buffer

const at = fc.nat(RECORDED.length)
const few = fc.uint8Array({ maxLength: 20 })
const spliced = (from: number, count: number, insert: Uint8Array): Mutation => {
  return (bytes) => Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + count)])
}

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  // Any byte becomes any other, a header's more often than chance would have it.
  fc.tuple(at, fc.nat(255)).map(([from, byte]) => spliced(from, 1, Uint8Array.of(byte))),
  fc
    .tuple(
      fc.constantFrom(0, 32, 168, 200, 216),
      fc.nat(7),
      fc.constantFrom(0, 1, 2, 3, 6, 7, 8, 9, 127, 128, 255),
    )
    .map(([header, field, byte]) => spliced(header + field, 1, Uint8Array.of(byte))),
  // Bytes go, come, and come twice.
  fc.tuple(at, at).map(([from, count]) => spliced(from, count, new Uint8Array())),
  fc.tuple(at, few).map(([from, insert]) => spliced(from, 0, insert)),
  fc.tuple(at, at).map(
    ([from, to]): Mutation =>
      (bytes) =>
        Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]),
  ),
)

const mutated = fc.array(mutation, { minLength: 1, maxLength: 4 }).map((mutations) => {
  return mutations.reduce<Buffer>((bytes, mutate) => mutate(bytes), RECORDED)
})
const anything: fc.Arbitrary<Buffer> = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))

/** Feeds an answer in chunks of these lengths, over and over, and says what came of it. */
async function outcomeOf(answer: Buffer, lengths: readonly number[]): Promise<string> {
  const exchange = new Exchange(LIMITS, 1, 0, 0)
  const outcome = exchange.response.then(
    ({ body, stderr }) => {
      expect(body.length).toBeLessThanOrEqual(LIMITS.maxResponse)
      expect(Buffer.from(stderr, 'latin1').length).toBeLessThanOrEqual(LIMITS.maxStderr)
      return 'response'
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(FastCgiError)
      return (error as FastCgiError).code
    },
  )
  for (let from = 0, turn = 0; from < answer.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? answer.length
    // A chunk is the socket's to use again.
    const chunk = Buffer.from(answer.subarray(from, from + length))
    exchange.receive(chunk)
    chunk.fill(0xee)
    from += length
  }
  return exchange.ended ? outcome : 'incomplete'
}

describe('an answer gone wrong', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 })

  it.each<[string, fc.Arbitrary<Buffer>]>([
    ['in a few places', mutated],
    ['altogether', anything],
  ])(
    '%s ends in one way, however it is cut',
    async (_, answers) => {
      const seen = new Map<string, number>()
      await fc.assert(
        fc.asyncProperty(answers, lengths, async (answer, cut) => {
          const outcome = await outcomeOf(answer, [])
          expect(['response', 'incomplete', ...CODES]).toContain(outcome)
          expect(await outcomeOf(answer, cut)).toBe(outcome)
          seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
        }),
        { numRuns: RUNS, seed: SEED },
      )
      // A corpus that never gets past the first header would prove little.
      if (answers === mutated && RUNS >= 1_000) {
        expect([...seen.keys()]).toEqual(
          expect.arrayContaining(['response', 'incomplete', 'MALFORMED_ANSWER']),
        )
      }
    },
    TIME,
  )

  it(
    'that never ends takes no more and more memory',
    () => {
      const exchange = new Exchange(LIMITS, 1, 0, 0)
      const endless = [
        Buffer.from([1, 6, 0, 1, 0, 0, 0, 0]), // empty records
        Buffer.from([1, 7, 0, 1, 0, 0, 255, 0, ...Array<number>(255).fill(0)]), // nothing but padding
        Buffer.from([1, 6, 0, 1, 0, 1, 0, 0, 0x41]),
        Buffer.from([1, 7, 0, 1, 0, 1, 0, 0, 0x41]),
      ].map((record) => Buffer.concat(Array<Buffer>(1_000).fill(record)))
      const feed = (times: number) => {
        for (let time = 0; time < times; time += 1) for (const chunk of endless) exchange.receive(chunk)
      }
      feed(20)
      const before = liveBytes()
      feed(150)
      const grown = liveBytes() - before
      expect(exchange.ended).toBe(false)
      expect(grown).toBeLessThan(1024 * 1024)
    },
    TIME,
  )
})
