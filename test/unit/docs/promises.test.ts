import { describe, expect, it } from 'vitest'
import { read, section } from './page.ts'

/* docs/promises.md has each sentence that the README promises, and names the tests that hold it. */

interface Proof {
  readonly file: string
  /** Of a test, or of the `describe` around several. */
  readonly titles: readonly string[]
}

const promises = read('docs/promises.md')
  .split(/^> /m)
  .slice(1)
  .map((text) => {
    const [sentence = '', ...lines] = text.split('\n')
    const proofs: { file: string; titles: string[] }[] = []
    for (const line of lines) {
      const [, file] = /^- `(.+)`$/.exec(line) ?? []
      const [, title] = /^ {2}- (.+)$/.exec(line) ?? []
      if (file !== undefined) proofs.push({ file, titles: [] })
      if (title !== undefined) proofs.at(-1)?.titles.push(title)
    }
    return { sentence, proofs: proofs as readonly Proof[] }
  })

/** `it('title', ...`, `test.for(CASES)(\n  'title', ...` and the like. */
const TITLE = /(?:\b(?:it|test|describe)[\w.]*|\))\(\s*(['"`])(.+?)\1,/g
const titlesIn = (file: string) => [...read(file).matchAll(TITLE)].map(([, , title]) => title)

describe("the README's promises", () => {
  it('stand in docs/promises.md, in the same words and their order, and nothing else does', () => {
    const promised = section(read('README.md'), 'What is promised').replace(/\s+/g, ' ')
    expect(promises.map(({ sentence }) => sentence).join(' ')).toBe(promised)
  })

  it.each(promises)('$sentence', ({ proofs }) => {
    expect(proofs).not.toHaveLength(0)
    for (const { file, titles } of proofs) {
      expect(file).toMatch(/^test\/(unit|wire|integration)\/.*\.test\.ts$/)
      expect(titles, file).not.toHaveLength(0)
      expect(titlesIn(file), file).toEqual(expect.arrayContaining([...titles]))
    }
  })
})
