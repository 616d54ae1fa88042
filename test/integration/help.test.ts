import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { parseCommandLine } from '../../src/command-line/command-line.ts'
import { COMMANDS } from '../../src/commands/index.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

test.for(['', 'run', 'publish'])('the help of the bundle is that of the sources: %s', async (name) => {
  const args = [...(name === '' ? [] : [name]), '--help']
  const print = vi.spyOn(console, 'log').mockReturnValue()
  let printed: string
  try {
    expect(await parseCommandLine(args, COMMANDS, '0.0.0')).toEqual({ kind: 'help' })
    printed = print.mock.calls.join('\n')
  } finally {
    print.mockRestore()
  }
  expect(printed).toContain('Options:')
  expect(execFileSync(process.execPath, [main, ...args], { encoding: 'utf8' })).toBe(`${printed}\n`)
})
