import { describe, expect, it } from 'vitest'
import type { OptionSpec } from '../../../src/command-line/option-spec.ts'
import { OPTIONS } from '../../../src/command-line/options.ts'
import { read, section } from './page.ts'

/* The tables of docs/options.md are the option table of the command line. */

const page = read('docs/options.md')
const rowsOf = (text: string) => text.split('\n').filter((line) => line.startsWith('| `--'))

/** Of a command's section, since an option stands there once: in that of the first command that has it. */
const rowOf = ({ name, commands: [command] }: OptionSpec) =>
  rowsOf(section(page, `\`fpm-bridge ${command}\``)).find((row) => row.startsWith(`| \`--${name}\``))

function expectedRow({ name, alias, kind, default: value, defaultDescription, description }: OptionSpec) {
  const names = [`--${name}`]
  if (alias !== undefined) names.push(`-${alias}`)
  if (kind === 'flag' && value === 'true') names.push(`--no-${name}`)
  const byDefault = kind === 'flag' ? { true: 'on', false: 'off' }[value ?? 'false'] : value
  return [names.join(', '), byDefault ?? defaultDescription ?? '', description]
}

describe('docs/options.md', () => {
  it.each(OPTIONS.map((spec) => [spec.name, spec] as const))('has --%s as it is', (_, spec) => {
    const cells = rowOf(spec)?.split('|').slice(1, -1)
    expect(cells?.map((cell) => cell.trim().replaceAll('`', ''))).toEqual(expectedRow(spec))
  })

  it('has no other', () => {
    expect(rowsOf(page)).toHaveLength(OPTIONS.length)
  })
})
