import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/*
 * The linter enforces who may import whom (.biome.json, .biome/). A rule that matches nothing looks like a rule that
 * is kept, so each is broken here once, on purpose, in a copy of the sources.
 */

interface Probe {
  readonly folder: string
  readonly code: string
}

const useful = (folder: string, code: string): Probe => ({ folder, code: `${code}\n` })
const value = (folder: string, from: string): Probe =>
  useful(folder, `import { thing } from '${from}'\nexport const copy = thing`)
const type = (folder: string, from: string): Probe =>
  useful(folder, `import type { Thing } from '${from}'\nexport type Copy = Thing`)

const FORBIDDEN: readonly Probe[] = [
  // The domain: no library, no socket, nobody's code.
  value('src/bridge', 'amqplib'),
  value('src/bridge', 'fastcgi-client'),
  value('src/bridge', 'winston'),
  value('src/bridge', 'yargs'),
  value('src/bridge', 'yaml'),
  value('src/bridge', 'node:net'),
  value('src/bridge', 'node:fs'),
  value('src/bridge', '../amqp/session.ts'),
  type('src/bridge', '../amqp/session.ts'),
  type('src/bridge', '../config/bridge-config.ts'),
  type('src/bridge', '../fastcgi/address.ts'),
  type('src/bridge', '../fastcgi/client.ts'),
  value('src/bridge/gates', '../../fastcgi/types.ts'),
  type('src/bridge/gates', '../../amqp/session.ts'),
  // Words that all others may know.
  type('src/control', '../bridge/ports.ts'),
  value('src/control', 'node:net'),
  value('src/bridge', '../control/read-command.ts'),
  // Bytes to bytes.
  type('src/payload', '../bridge/ports.ts'),
  value('src/payload', '../fastcgi/types.ts'),
  value('src/payload', 'node:fs'),
  type('src/bridge', '../fastcgi-library.ts'),
  value('src/bridge', '../fastcgi/types.ts'),
  useful('src/bridge', "export { FastCgiError } from '../fastcgi/types.ts'"),
  useful(
    'src/bridge',
    "import { type FastCgiError, systemCodeOf } from '../fastcgi/types.ts'\nexport const copy = systemCodeOf\nexport type Copy = FastCgiError",
  ),
  useful('src/bridge', "export const copy = await import('../fastcgi/types.ts')"),
  useful('src/bridge', "export const copy = await import('node:net')"),
  // The broker's side knows the domain by its ports' types alone, and never the pool's side.
  value('src/amqp', '../bridge/ports.ts'),
  type('src/amqp', '../bridge/hold.ts'),
  type('src/amqp', '../fastcgi/types.ts'),
  type('src/amqp', '../observe/logger.ts'),
  type('src/amqp', '../config/bridge-config.ts'),
  value('src/amqp', 'winston'),
  value('src/amqp', 'fastcgi-client'),
  // The pool's side could be published alone.
  type('src/fastcgi', '../bridge/ports.ts'),
  type('src/fastcgi', '../amqp/session.ts'),
  value('src/fastcgi', 'fastcgi-client'),
  value('src/fastcgi', 'amqplib'),
  value('src/observe', '../bridge/ports.ts'),
  type('src/observe', '../amqp/session.ts'),
  type('src/fastcgi', '../message-stream/pace.ts'),
  type('src/message-stream', '../bridge/ports.ts'),
  type('src/message-stream', '../config/bridge-config.ts'),
  value('src/message-stream', 'amqplib'),
  type('src/bridge', '../message-stream/pace.ts'),
  type('src/observe', '../fastcgi/types.ts'),
  value('src/observe/log-lines', '../../bridge/events.ts'),
  type('src/observe/log-lines', '../../amqp/session.ts'),
  value('src/amqp', '../bridge/events.ts'),
  value('src/observe', 'winston'),
  value('src/observe', 'amqplib'),
  value('src/observe', 'prom-client'),
  value('src/admin', 'prom-client'),
  value('src/admin', '../daemon/daemon.ts'),
  type('src/admin', '../bridge/events.ts'),
  type('src/admin', '../config/process-config.ts'),
  // Composition composes; libraries stay with their importers.
  value('src/command-line', '../bridge/hold.ts'),
  value('src/command-line', '../daemon/daemon.ts'),
  value('src/command-line', 'amqplib'),
  value('src/command-line', 'winston'),
  value('src/command-line', 'fastcgi-client'),
  value('src/commands', '../bridge/hold.ts'),
  value('src/commands/publish', '../../bridge/hold.ts'),
  value('src/commands', 'amqplib'),
  value('src/commands', 'yargs'),
  value('src/commands', 'winston'),
  value('src/commands', 'fastcgi-client'),
  value('src/operate', '../commands/run.ts'),
  value('src/operate', '../command-line/output.ts'),
  value('src/operate', '../daemon/daemon.ts'),
  value('src/operate', '../admin/server.ts'),
  value('src/operate', 'amqplib'),
  value('src/operate/dead-letters', '../../daemon/bridge.ts'),
  value('src/operate/dead-letters', '../../command-line/progress.ts'),
  type('src/config', '../daemon/daemon.ts'),
  type('src/config', '../command-line/options.ts'),
  value('src/daemon', '../commands/run.ts'),
  value('src/daemon', '../command-line/signals.ts'),
  value('src/daemon', 'amqplib'),
  value('src/daemon', 'winston'),
  value('src/daemon', 'prom-client'),
  value('src', 'amqplib'),
  value('src', 'amqplib/callback_api'),
  value('src', 'fastcgi-client'),
  value('src', 'winston'),
  value('src', 'yargs'),
  value('src', 'yargs/helpers'),
  value('src/config', 'yaml'),
]

/** Habits that types do not catch, with the rule that does. */
const CARELESS: readonly (Probe & { readonly rule: string })[] = [
  {
    ...useful('src/bridge', 'async function wait(): Promise<void> {}\nwait()'),
    rule: 'noFloatingPromises',
  },
  { ...useful('src/amqp', 'export const copy = (value: any): unknown => value'), rule: 'noExplicitAny' },
  { ...useful('src/bridge', "export const copy = process.env['PATH']"), rule: 'noProcessEnv' },
  { ...useful('src/config', "export const copy = process.env['PATH']"), rule: 'noProcessEnv' },
  { ...useful('src/fastcgi', "console.log('hello')"), rule: 'noConsole' },
  { ...useful('src', "throw 'text'"), rule: 'useThrowOnlyError' },
]

const ALLOWED: readonly Probe[] = [
  value('src/bridge', './hold.ts'),
  type('src/bridge', '../fastcgi/types.ts'),
  value('src/bridge', '../control/protocol.ts'),
  value('src/amqp', '../control/protocol.ts'),
  value('src/amqp', 'amqplib'),
  value('src/amqp', 'node:timers/promises'),
  value('src/amqp', './session.ts'),
  type('src/amqp', '../bridge/ports.ts'),
  type('src/amqp', '../bridge/events.ts'),
  type('src/observe/log-lines', '../../bridge/events.ts'),
  value('src/fastcgi', 'node:net'),
  value('src/fastcgi', './client.ts'),
  type('src/observe', '../bridge/ports.ts'),
  value('src/bridge', '../payload/form.ts'),
  value('src/bridge', './gates/hold.ts'),
  value('src/bridge/gates', '../ports.ts'),
  value('src/command-line', 'yargs'),
  value('src/command-line', 'yaml'),
  value('src/command-line', '../config/reader.ts'),
  value('src/commands', '../daemon/daemon.ts'),
  value('src/commands', '../amqp/publisher.ts'),
  value('src/commands', '../observe/logger.ts'),
  value('src/commands', '../operate/invoke.ts'),
  value('src/operate', '../amqp/publisher.ts'),
  value('src/operate', '../bridge/outcome.ts'),
  value('src/operate', '../daemon/pool-client.ts'),
  value('src/operate/dead-letters', '../../amqp/publisher.ts'),
  value('src/daemon', '../bridge/hold.ts'),
  value('src/daemon', '../admin/server.ts'),
  value('src/admin', '../observe/metrics.ts'),
  value('src/admin', 'node:http'),
  value('src/daemon', '../fastcgi/client.ts'),
  value('src/config', '../bridge/retry.ts'),
  value('src/config', '../fastcgi/address.ts'),
]

const root = fileURLToPath(new URL('../..', import.meta.url))
const copy = mkdtempSync(join(tmpdir(), 'fpm-bridge-architecture-'))
const complaints = new Map<string, string[]>()
const fileOf = (kind: string, index: number, { folder }: Probe) => `${folder}/probe-${kind}-${index}.ts`

beforeAll(() => {
  for (const part of ['src', '.biome', '.biome.json', '.gitignore', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  const write = (kind: string) => (probe: Probe, index: number) => {
    const file = join(copy, fileOf(kind, index, probe))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, probe.code)
  }
  FORBIDDEN.forEach(write('forbidden'))
  CARELESS.forEach(write('careless'))
  ALLOWED.forEach(write('allowed'))
  const biome = join(root, 'node_modules/.bin/biome')
  const { stdout } = spawnSync(biome, ['lint', '--reporter=json', '--max-diagnostics=none', 'src'], {
    cwd: copy,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const report: { diagnostics: { severity: string; category: string; location: { path: string } }[] } =
    JSON.parse(stdout)
  for (const { severity, category, location } of report.diagnostics) {
    if (severity !== 'error') continue
    complaints.set(location.path, [...(complaints.get(location.path) ?? []), category])
  }
})

afterAll(() => rmSync(copy, { recursive: true, force: true }))

/** What the linter says about a probe, of the rules that guard the borders. */
const borderComplaints = (file: string) =>
  (complaints.get(file) ?? []).filter((category) => /\/noRestrictedImports$|^plugin$/.test(category))

describe('the linter refuses', () => {
  it.each(FORBIDDEN.map((probe, index) => ({ ...probe, file: fileOf('forbidden', index, probe) })))(
    'in $folder: $code',
    ({ file }) => {
      expect(borderComplaints(file)).not.toEqual([])
    },
  )

  it.each(CARELESS.map((probe, index) => ({ ...probe, file: fileOf('careless', index, probe) })))(
    'in $folder, by $rule: $code',
    ({ file, rule }) => {
      expect(complaints.get(file)).toContainEqual(expect.stringMatching(`/${rule}$`))
    },
  )
})

describe('the linter allows', () => {
  it.each(ALLOWED.map((probe, index) => ({ ...probe, file: fileOf('allowed', index, probe) })))(
    'in $folder: $code',
    ({ file }) => {
      // What a probe imports need not exist, which other rules mind.
      expect(borderComplaints(file)).toEqual([])
    },
  )

  it('the sources as they are', () => {
    expect([...complaints.keys()].filter((path) => !path.includes('/probe-'))).toEqual([])
  })
})
