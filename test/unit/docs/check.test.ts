import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PHP_RULES } from '../../../src/operate/check/php-rules.ts'
import { QUEUE_RULES } from '../../../src/operate/check/queue-rules.ts'
import { read, root } from './page.ts'

/* docs/check.md has the points that `fpm-bridge check` looks at. */

// From there on the tables are of points.
const [, tables = ''] = read('docs/check.md').split('\n## Options\n')
const documented = [...tables.matchAll(/^\| `([\w.-]+)` \|/gm)].map(([, point = '']) => point)
const folder = 'src/operate/check/'
const sources = readdirSync(new URL(folder, root)).map((name) => read(`${folder}${name}`))
const written = sources.flatMap((source) =>
  [...source.matchAll(/\b(?:passed|warned|failed|unknown)\(\s*'([a-z][\w.-]*)',/g)].map(
    ([, point = '']) => point,
  ),
)
const points = new Set([...written, ...[...PHP_RULES, ...QUEUE_RULES].map(({ point }) => point)])

describe('docs/check.md', () => {
  it('has each point', () => {
    expect(points.size).toBeGreaterThan(30)
    expect([...points].filter((point) => !documented.includes(point))).toEqual(['settings'])
  })

  it.each(documented)('has no other: %s', (point) => {
    // Some are chosen by what has happened.
    expect(points.has(point) || sources.some((source) => source.includes(`'${point}'`))).toBe(true)
  })
})
