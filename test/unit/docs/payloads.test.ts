import { expect, it } from 'vitest'
import { UnprocessableError } from '../../../src/payload/unprocessable.ts'
import { formAtOnce } from '../../support/form-at-once.ts'
import { read } from './page.ts'

/* The examples of docs/payloads.md are true. */

const rows = [...read('docs/payloads.md').matchAll(/^\| `([[{7].*?)` \| (?:`(.*?)`|refused) \|/gm)].map(
  ([, json = '', form]) => ({ json, form }),
)

it('has examples', () => {
  expect(rows.length).toBeGreaterThan(15)
  expect(rows.filter(({ form }) => form === undefined)).toHaveLength(3)
})

it.each(rows)('$json becomes $form', ({ json, form }) => {
  const encode = () => formAtOnce(Buffer.from(json)).toString()
  if (form === undefined) expect(encode).toThrow(UnprocessableError)
  else expect(encode()).toBe(form)
})
