import { readFileSync } from 'node:fs'
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

/** The files that are loaded with a file: what it imports, and what that imports, types left out. */
function loadedWith(url: URL, found = new Set<string>()): ReadonlySet<string> {
  const path = url.pathname.replace(/^.*\/src\//, '')
  if (found.has(path)) return found
  found.add(path)
  const text = readFileSync(url, 'utf8')
  for (const [, names, from] of text.matchAll(/^import (?!type )([^']*?) from '(\.[^']+)'/gms)) {
    const onlyTypes = /^\{(?:\s*type \w+,?)+\s*\}$/.test(names as string)
    if (!onlyTypes) loadedWith(new URL(from as string, url), found)
  }
  return found
}

describe('a command loads what it needs', () => {
  const modulesOf = (path: string) => [...loadedWith(new URL(`../../../src/${path}`, import.meta.url))]

  it('run: the daemon', () => {
    expect(modulesOf('commands/run.ts')).toContain('daemon/daemon.ts')
    expect(modulesOf('commands/run.ts')).toContain('fastcgi/client.ts')
  })

  it.each(['main.ts', 'commands/execute.ts', 'commands/publish/publish.ts', 'commands/config/config.ts'])(
    '%s: nothing of the daemon',
    (path) => {
      const loaded = modulesOf(path)
      expect(loaded).toContain(path)
      expect(loaded.filter((each) => /^daemon\/|^fastcgi\/client|^bridge\/dispatcher/.test(each))).toEqual([])
    },
  )

  it('publish: nothing of what reads the configuration of run', () => {
    expect(modulesOf('commands/publish/publish.ts')).toContain('config/publish-config.ts')
    expect(modulesOf('commands/publish/publish.ts')).not.toContain('config/bridge-options.ts')
  })
})
