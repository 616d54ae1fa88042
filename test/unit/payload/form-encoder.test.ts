import fc from 'fast-check'
import { expect, it } from 'vitest'
import { FormEncoder } from '../../../src/payload/form-encoder.ts'
import { UnprocessableError } from '../../../src/payload/unprocessable.ts'
import { DOCUMENTS } from '../../support/form-documents.ts'
import { bodies } from '../../support/form-generators.ts'

/** The form, or why there is none, when the reading stops after so many bytes again and again. */
function form(encoder: FormEncoder, json: Buffer, bytes: number): string {
  try {
    encoder.begin(json)
    while (!encoder.read(bytes)) {}
    encoder.set(['daemonId', 'D-1'])
    if (!encoder.hasDuplicates) return encoder.toForm().toString('latin1')
    const steps = encoder.toFormWithoutDuplicates()
    for (;;) {
      const { done, value } = steps.next()
      if (done) return value.toString('latin1')
    }
  } catch (error) {
    if (error instanceof UnprocessableError) return error.message
    throw error
  }
}

it('makes the same form wherever it stops, and whatever came before', () => {
  const used = new FormEncoder()
  const check = (json: Buffer) => {
    const expected = form(new FormEncoder(), json, Number.POSITIVE_INFINITY)
    for (const bytes of [1, 7, 100]) expect(form(used, json, bytes)).toBe(expected)
  }
  for (const document of DOCUMENTS) if (document.length < 100_000) check(Buffer.from(document as string))
  fc.assert(fc.property(bodies, check), { numRuns: 500 })
})

it('makes the same form of a string that is read in pieces', () => {
  const piece = 64 * 1024
  // Around the end of a piece, each character and escape starts at every place.
  for (const text of ['a', 'é', '\\n', '\\u00e9', '\\ud83d\\ude00']) {
    for (let before = piece - 12; before <= piece; before += 1) {
      const json = `{"t":"${'x'.repeat(before)}${text}${'y'.repeat(20)}"}`
      const expected = `t=${encodeURIComponent(JSON.parse(json).t)}&daemonId=D-1`
      expect(form(new FormEncoder(), Buffer.from(json), 1)).toBe(expected)
    }
  }
})
