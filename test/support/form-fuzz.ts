import fc from 'fast-check'
import { bodies } from './form-generators.ts'
import { encodedByUs, REFUSED, startFormOracle } from './form-oracle.ts'

export interface FuzzResult {
  readonly documents: number
  /** How many of them both sides refused. */
  readonly refused: number
  /** The smallest document found on which the two differ. */
  readonly difference?: Difference
}

export interface Difference {
  readonly document: Buffer
  readonly php: string
  readonly ours: string
}

/**
 * Has PHP and our encoder make forms of the same generated bodies, until they differ.
 *
 * @param seed the same seed gives the same bodies
 */
export async function fuzzForm(documents: number, seed: number): Promise<FuzzResult> {
  const oracle = await startFormOracle()
  try {
    let refused = 0
    const agrees = fc.asyncProperty(bodies, async (document) => {
      const php = await oracle.ask(document)
      if (php === REFUSED) refused += 1
      return (await encodedByUs(document)) === php
    })
    const found = await fc.check(agrees, { numRuns: documents, seed })
    const [document] = found.counterexample ?? []
    if (document === undefined) return { documents: found.numRuns, refused }
    const difference = { document, php: await oracle.ask(document), ours: await encodedByUs(document) }
    return { documents: found.numRuns, refused, difference }
  } finally {
    await oracle.close()
  }
}
