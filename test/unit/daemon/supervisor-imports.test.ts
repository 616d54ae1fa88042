import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const src = fileURLToPath(new URL('../../../src/', import.meta.url))

/** What a module loads when it is loaded: not what only names types, nor what waits for an `import()`. */
const LOADS = /^(?:import|export)\s(?!type\s)[^'"`;]*?\sfrom\s+'(\.[^']+)'/gm

function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  for (const [, to = ''] of readFileSync(join(src, file), 'utf8').matchAll(LOADS))
    loadedBy(join(dirname(file), to), seen)
  return seen
}

it('a supervisor loads nothing of what does the work', () => {
  const work = ['daemon/daemon.ts', 'bridge/domain.ts', 'amqp/session.ts', 'fastcgi/client.ts']
  const loaded = loadedBy('commands/supervise.ts')
  expect(loaded).toContain('daemon/supervisor.ts')
  expect(work.filter((file) => loaded.has(file))).toEqual([])
  expect(work.filter((file) => loadedBy('commands/run.ts').has(file))).toEqual(work)
})
