import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DOCUMENTS } from '../support/form-documents.ts'
import { fuzzForm } from '../support/form-fuzz.ts'
import { encodedByUs, type FormOracle, startFormOracle } from '../support/form-oracle.ts'

/* The form encoder has no specification but PHP. This asks PHP itself about the same bytes. */

describe('the form is what PHP makes of the same bytes', () => {
  let oracle: FormOracle
  beforeAll(async () => {
    oracle = await startFormOracle()
  })
  afterAll(() => oracle.close())

  const documents = DOCUMENTS.map((given) => Buffer.from(given as string))

  it.each(documents.map((document) => ({ name: shown(document), document })))(
    '$name',
    async ({ document }) => {
      expect(await encodedByUs(document)).toBe(await oracle.ask(document))
    },
  )
})

it('of 20,000 generated bodies, too', async () => {
  const seed = Date.now() % 2 ** 31
  const { documents, refused, difference } = await fuzzForm(20_000, seed)
  // To see it again: npm run fuzz:form -- --seed
  expect({ seed, difference }).toEqual({ seed, difference: undefined })
  expect(documents).toBe(20_000)
  // Both kinds must come, or it would prove nothing.
  expect(refused).toBeGreaterThan(2_000)
  expect(refused).toBeLessThan(12_000)
})

function shown(bytes: Buffer): string {
  const text = JSON.stringify(bytes.toString('latin1'))
  return text.length > 100 ? `${text.slice(0, 100)}... (${bytes.length} bytes)` : text
}
