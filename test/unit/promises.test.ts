import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/* docs/promises.md names the tests of each sentence that the README promises. */

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

const rows = read('docs/promises.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && line !== '| promise | tests |')
  .map(
    (line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()) as [promise: string, tests: string],
  )

describe("the README's promises", () => {
  it('stand in docs/promises.md, in the same words and their order, and nothing else does', () => {
    const [, section = ''] = /\n## What is promised\n(.*?)\n## /s.exec(read('README.md')) ?? []
    expect(rows.map(([promise]) => promise).join(' ')).toBe(section.trim().replace(/\s+/g, ' '))
  })

  it.each(rows)('%s', (_, tests) => {
    const files = tests.split(', ').map((file) => file.replaceAll('`', ''))
    for (const file of files) {
      expect(file).toMatch(/^test\/(unit|wire|integration)\/.*\.test\.ts$/)
      expect(existsSync(new URL(file, root)), file).toBe(true)
    }
  })
})
