import { describe, expect, it } from 'vitest'
import { OPTIONS } from '../../../src/command-line/options.ts'
import { COMMANDS } from '../../../src/commands/index.ts'

const names = COMMANDS.map(({ name }) => name)

describe('the registry of commands', () => {
  it('has each name once, and one command that is meant where none is named', () => {
    expect(new Set(names).size).toBe(names.length)
    expect(COMMANDS.filter(({ byDefault }) => byDefault)).toHaveLength(1)
  })

  it('knows the commands that the option table names', () => {
    for (const { commands } of OPTIONS) for (const name of commands) expect(names).toContain(name)
  })

  it.each(COMMANDS.map((command) => [command.name, command] as const))('loads %s', async (_, command) => {
    expect(await command.load()).toBeInstanceOf(Function)
  })

  it('begins the examples with the name of the command', () => {
    for (const { name, examples = [] } of COMMANDS)
      for (const [commandLine] of examples) expect(commandLine.split(' ')[0]).toBe(name)
  })
})
