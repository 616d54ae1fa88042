import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { runBridge } from '../support/bridge-process.ts'
import { removeFolder, temporaryFolder } from '../support/run-folder.ts'

/* `fpm-bridge config`, and what the command line says of files with several bridges. */

const folder = temporaryFolder('config-command')
afterAll(() => removeFolder(folder))

function file(text: string): string {
  const path = join(folder, `f-${Math.random()}.yaml`)
  writeFileSync(path, text)
  return path
}

const GOOD = `url: amqp://u:s3cret@h
bridges:
- {queue: a, socket: /a.sock, script: /w.php}
- {queue: b, socket: /b.sock, script: /w.php, ack: completed}
`
const BAD = `concurency: 4
bridges:
- {queue: a, socket: /a.sock, script: /w.php, concurrency: 0}
- {queue: a, socket: /a.sock, script: /w.php}
`
const badLines = (path: string) => [
  `fpm-bridge: concurency (${path}:1) is unknown; did you mean concurrency?`,
  `fpm-bridge: bridges[0].concurrency (${path}:3) must be an integer from 1 to 65535, not "0"`,
  `fpm-bridge: bridges[1].queue (${path}:4) is consumed by bridges[0] (${path}:3) already`,
]
const messages = (log: readonly { message: string }[]) => log.map(({ message }) => message)

describe('fpm-bridge config', () => {
  test('prints what counts and where it comes from, without a password', async () => {
    const path = file(GOOD)
    const { code, stdout, log } = await runBridge(['config', '--config', path, '--log-level', 'warn'], {
      FPM_BRIDGE_TIMEOUT: '20m',
    })
    expect({ code, log }).toEqual({ code: 0, log: [] })
    expect(stdout).toContain('  - amqp://u:***@h')
    expect(stdout).toContain('log-level: warn                              # --log-level')
    expect(stdout).toContain(`  - name: a                                      # default`)
    expect(stdout).toContain(`    queue: b                                     # ${path}:4`)
    expect(stdout).toContain('    timeout: 20m                                 # FPM_BRIDGE_TIMEOUT')
    expect(stdout.join()).not.toContain('s3cret')
    expect(parse(stdout.join('\n'))).toMatchObject({ bridges: [{ queue: 'a' }, { queue: 'b', prefetch: 6 }] })
  })

  test('prints JSON for scripts', async () => {
    const secret = file('amqp://u:s3cret@h\n')
    const { code, stdout } = await runBridge(['config', '-s', '/a.sock', '--script', '/w.php', '--json'], {
      FPM_BRIDGE_URL_FILE: secret,
    })
    expect(code).toBe(0)
    expect(JSON.parse(stdout.join('\n'))).toMatchObject({
      process: {
        url: { value: ['amqp://u:***@h'], source: 'FPM_BRIDGE_URL_FILE' },
        'tls-ca': { value: null, source: 'default' },
      },
      bridges: [
        { socket: { value: '/a.sock', source: '--socket' }, concurrency: { value: 4, source: 'default' } },
      ],
    })
  })

  test('prints the schema', async () => {
    const { code, stdout } = await runBridge(['config', '--schema'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout.join('\n'))).toMatchObject({ title: 'Configuration of fpm-bridge' })
  })

  test('only checks, and says nothing', async () => {
    expect(await runBridge(['config', '--check', '--config', file(GOOD)])).toMatchObject({
      code: 0,
      stdout: [],
      log: [],
    })
  })
})

test.for([['config', '--check'], ['config', '--json'], ['run'], ['publish', '-q', 'a', '{}']])(
  '%j says all that is wrong with a file, and ends with 78',
  async (args) => {
    const path = file(BAD)
    const { code, stdout, log } = await runBridge([...args, '--config', path])
    expect({ code, stdout }).toEqual({ code: 78, stdout: [] })
    // Publishing has no use for the values.
    expect(messages(log)).toEqual(args[0] === 'publish' ? badLines(path).slice(0, 1) : badLines(path))
  },
)

test('64 when the command line is wrong, too', async () => {
  const path = file(BAD)
  const { code, log } = await runBridge([
    'run',
    '--config',
    path,
    '--scoket',
    '/c',
    '--drain-timeout',
    'soon',
  ])
  expect(code).toBe(64)
  expect(messages(log)).toEqual([
    'fpm-bridge: Unknown argument: scoket; did you mean --socket?',
    badLines(path)[0],
    'fpm-bridge: --drain-timeout must be a duration such as 500ms, 30s, 25m or 2h, not "soon"',
    ...badLines(path).slice(1),
  ])
})

test('a command that nobody knows is told alone, with what it may be', async () => {
  const { code, log } = await runBridge(['confg', '--check'])
  expect(code).toBe(64)
  expect(messages(log)).toEqual(['fpm-bridge: Unknown argument: confg; did you mean config?'])
})
