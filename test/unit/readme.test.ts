import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OPTIONS } from '../../src/command-line/options.ts'

const rows = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `--'))

describe("the README's option tables", () => {
  it.each(OPTIONS.map((spec) => [spec.name, spec] as const))('have --%s as it is', (name, spec) => {
    const row = rows.find((line) => line.startsWith(`| \`--${name}\``))
    expect(row).toContain(spec.description)
    expect(row).toContain(
      spec.kind === 'flag' ? (spec.default === 'true' ? 'on' : 'off') : (spec.default ?? '|'),
    )
    if (spec.alias !== undefined) expect(row).toContain(`\`-${spec.alias}\``)
  })

  it('have no other', () => {
    expect(rows).toHaveLength(OPTIONS.length)
  })
})
