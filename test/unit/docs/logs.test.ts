import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { logLines } from '../../../src/observe/log-lines.ts'
import { TABLES } from '../observe/log-lines/tables.ts'
import { recordingLog } from '../observe/recording-log.ts'
import { read, root, section } from './page.ts'

/* docs/logs.md: its fields and lines are those that the daemon writes. */

const page = read('docs/logs.md')
const sources = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => read(`src/${name}`))

describe('of the lines worth an alert', () => {
  const alerts = [...section(page, 'Lines worth an alert').matchAll(/^\| `(.+?)` \| (\w+) \|/gm)].map(
    ([, line = '', level = '']) => ({ line, level }),
  )

  it('there are some', () => {
    expect(alerts.length).toBeGreaterThan(5)
  })

  it.each(alerts)('the daemon writes: $line ($level)', ({ line, level }) => {
    const quoted = sources.flatMap((source) =>
      [`'${line}`, `"${line}`].flatMap((text) => source.split(text).slice(0, -1)),
    )
    expect(quoted).not.toEqual([])
    // Where the level stands right before the sentence, as it mostly does.
    const levels = quoted.map((before) => /\b(error|warn|info|debug)(?:',|\()\s*$/.exec(before)?.[1] ?? level)
    expect(levels).toContain(level)
  })
})

describe('the fields', () => {
  const sections = ['Fields of all lines', 'Fields of a message', 'All other fields']
  const documented = sections.flatMap((name) =>
    [...section(page, name).matchAll(/^\| (`.+?`) \|/gm)].flatMap(([, names = '']) =>
      [...names.matchAll(/`(.+?)`/g)].map(([, field = '']) => field),
    ),
  )

  it('of all events are in the page', () => {
    const log = recordingLog()
    for (const [event] of TABLES.flatMap(([, , rows]) => rows)) logLines(log)(event)
    const written = new Set(log.lines.flatMap(({ fields }) => Object.keys(fields)))
    expect([...written].filter((field) => !documented.includes(field))).toEqual([])
  })

  it('that are written out elsewhere are in the page', () => {
    const written = sources.flatMap(fieldsIn)
    expect(written).toContain('in_flight')
    expect(written).toContain('child_pid')
    expect([...new Set(written)].filter((field) => !documented.includes(field))).toEqual([])
  })

  it.each(documented)('there is a %s', (field) => {
    expect(sources.some((source) => new RegExp(`[{,\\s]'?${field}'?[:,;]? `, 'm').test(source))).toBe(true)
  })
})

/** The fields of the lines that this source writes itself, by calls such as `log.info('...', { a, b: 1 })`. */
function fieldsIn(source: string): string[] {
  const calls = source.matchAll(/log(?:\.(?:error|warn|info|debug|with)|\[.+?\])\(|\bfields = (?=\{)/g)
  return [...calls].flatMap(({ index, 0: { length } }) => {
    const text = source
      .slice(index + length, endOf(source, index + length))
      .replaceAll(/'[^']*'|"[^"]*"/g, "''")
      .replaceAll(/\(\{[^}]*\}\)/g, '')
    return [...text.matchAll(/(?<=[{,]\s*)[a-z_]+(?=\s*[:,}])/g)].map(([field]) => field)
  })
}

/** Where the brackets end that are open at that position, or that begin there. */
function endOf(source: string, from: number): number {
  let depth = '([{'.includes(source[from] ?? '') ? 0 : 1
  for (let at = from; at < source.length; at += 1) {
    if ('([{'.includes(source[at] as string)) depth += 1
    else if (')]}'.includes(source[at] as string)) depth -= 1
    if (depth === 0) return at + 1
  }
  return source.length
}
