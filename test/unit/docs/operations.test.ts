import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { read, root, section } from './page.ts'

/* The log lines that docs/operations.md says to watch are lines that the daemon writes. */

const lines = [...section(read('docs/operations.md'), 'What to watch').matchAll(/^\| `(.+?)` \|/gm)].map(
  ([, line = '']) => line,
)
const sources = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => read(`src/${name}`))

it('there are some', () => {
  expect(lines.length).toBeGreaterThan(5)
})

it.each(lines)('%s', (line) => {
  expect(sources.some((source) => source.includes(`'${line}`))).toBe(true)
})
