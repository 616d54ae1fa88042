import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLibraryClient } from '../../src/fastcgi-library.ts'
import { eventually } from '../support/eventually.ts'
import { installedProgram } from '../support/installed.mjs'
import { type OwnedProcess, spawnOwned } from '../support/owned-process.ts'
import { removeFolder } from '../support/run-folder.ts'
import { waitForFile } from '../support/worker-script.ts'

/*
 * docker/php-fpm/commands.conf and ping.php on this machine's php-fpm: the file itself, with the container's paths
 * replaced by temporary ones, and with fastcgi.logging off in the ini, as in the official image.
 */

const repository = fileURLToPath(new URL('../..', import.meta.url))
const isRoot = process.getuid?.() === 0
const id = (...args: string[]) => execFileSync('id', args, { encoding: 'utf8' }).trim()
const bridge = { uid: 10001, gid: 10001 }

// Not in the run's folder, which is the tests' own: other users enter here.
const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-docker-'))
const run = join(folder, 'run')
const scripts = join(folder, 'scripts')
const log = join(folder, 'error.log')
const configuration = join(folder, 'commands.conf')
const socket = join(run, 'commands.sock')
const statusSocket = join(run, 'commands-status.sock')

function prepare(): void {
  chmodSync(folder, 0o755)
  mkdirSync(run, { mode: 0o750 })
  if (isRoot) chownSync(run, 0, bridge.gid)
  mkdirSync(scripts)
  cpSync(join(repository, 'worker-php/worker.php'), join(scripts, 'worker.php'))
  cpSync(join(repository, 'docker/php-fpm/ping.php'), join(folder, 'ping.php'))
  const adapted = readFileSync(join(repository, 'docker/php-fpm/commands.conf'), 'utf8')
    .replaceAll('/run/php-fpm', run)
    .replace('/proc/self/fd/2', log)
  // Only root may give a socket away; anyone else keeps it.
  const kept = adapted.replace(/^listen\.owner = .*$/m, '').replace(/^listen\.group = .*$/m, '')
  writeFileSync(configuration, isRoot ? adapted : kept)
}

const fpmArguments = ['-n', '-d', 'fastcgi.logging=0', '-y', configuration]
let master: OwnedProcess | undefined
const errorLog = () => readFileSync(log, 'utf8')

async function start(): Promise<void> {
  const env = { WORKER_LOG: 'php://stderr', WORKER_SLEEP_MS: '1000', DATABASE_PASSWORD: 'secret' }
  master = await spawnOwned(installedProgram('phpFpm'), [...fpmArguments, '-F'], { env, stdio: 'ignore' })
  await eventually('the pool is ready', () => errorLog().includes('ready to handle connections'))
}

/** With the daemon's id as the bridge sends it. */
function post(script: string, body = '', daemonId = 'D-1') {
  const client = createLibraryClient({
    address: { kind: 'unix', path: socket },
    params: {
      REQUEST_METHOD: 'POST',
      SCRIPT_NAME: `/${script}`,
      SCRIPT_FILENAME: join(scripts, script),
      CONTENT_TYPE: 'application/x-www-form-urlencoded',
      AMQP_DAEMON_ID: daemonId,
    },
    maxResponse: 64 * 1024,
    maxStderr: 64 * 1024,
  })
  return client.request({ params: {}, body: Buffer.from(body) })
}

/** The health check's end: its exit code and what it said. */
function ping(args: readonly string[], as: { uid?: number; gid?: number } = {}) {
  return new Promise<{ code: number | string; said: string }>((resolve) => {
    execFile(
      installedProgram('php'),
      ['-n', join(folder, 'ping.php'), ...args],
      as,
      (error, _stdout, said) => {
        resolve({ code: error?.code ?? 0, said })
      },
    )
  })
}

beforeAll(async () => {
  prepare()
  await start()
})
afterAll(async () => {
  await master?.kill()
  removeFolder(folder)
})

describe('the pool file', () => {
  it('passes php-fpm --test', () => {
    expect(() =>
      execFileSync(installedProgram('phpFpm'), [...fpmArguments, '-t'], { stdio: 'pipe' }),
    ).not.toThrow()
  })

  it('opens both sockets to their owner and group alone', () => {
    expect([socket, statusSocket].map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual([
      '660',
      '660',
    ])
  })

  it.runIf(isRoot)("lets in the bridge's group and no other, the scripts' user neither", async () => {
    expect(await ping([socket], bridge)).toEqual({ code: 0, said: '' })
    for (const stranger of [10002, Number(id('-u', 'www-data'))]) {
      const { code, said } = await ping([socket], { uid: stranger, gid: stranger })
      expect([code, said]).toEqual([1, expect.stringContaining('Permission denied')])
    }
  })

  it('has the example worker executed, its line in the log as it was written', async () => {
    const response = await post('worker.php', 'number=7&daemonId=forged', 'D-1f3a9c02')
    expect([response.status, response.body.toString()]).toEqual([200, 'done'])
    await eventually('the line is in the log', () =>
      errorLog().split('\n').includes(' [x] Processing 7 from daemon D-1f3a9c02'),
    )
  })

  it('sends an uncaught exception to the bridge and not into the answer', async () => {
    writeFileSync(join(scripts, 'fatal.php'), "<?php throw new Exception('no database');")
    const response = await post('fatal.php')
    expect([response.status, response.body.toString()]).toEqual([500, ''])
    expect(response.stderr).toContain('PHP Fatal error:  Uncaught Exception: no database')
    await eventually('the log has it too', () => errorLog().includes('Uncaught Exception: no database'))
  })

  it('takes forms that are long, wide and deep', async () => {
    const script = `<?php $deep = $_POST['deep']; $levels = 0;
      while (is_array($deep)) { $deep = $deep['a']; $levels++; }
      echo json_encode([count($_POST), $levels, strlen($_POST['long'])]);`
    writeFileSync(join(scripts, 'form.php'), script)
    const wide = Array.from({ length: 5_000 }, (_, index) => `k${index}=1`).join('&')
    const response = await post('form.php', `${wide}&deep${'[a]'.repeat(511)}=1&long=${'x'.repeat(16 << 20)}`)
    expect(JSON.parse(response.body.toString())).toEqual([5_002, 511, 16 << 20])
  })

  it('shows a script no variable but the listed ones', async () => {
    writeFileSync(join(scripts, 'environment.php'), '<?php echo json_encode(getenv());')
    const seen = JSON.parse((await post('environment.php')).body.toString())
    expect(seen).toMatchObject({ WORKER_LOG: 'php://stderr', WORKER_SLEEP_MS: '1000' })
    expect(seen).not.toHaveProperty('DATABASE_PASSWORD')
  })
})

describe('the health check', () => {
  it.each([socket, statusSocket])('succeeds on %s', async (path) => {
    expect(await ping([path, '/ping'])).toEqual({ code: 0, said: '' })
  })

  it('succeeds while all children are busy', async () => {
    const release = join(scripts, 'release')
    writeFileSync(join(scripts, 'wait.php'), `<?php ${waitForFile(release)}`)
    const requests = Array.from({ length: 25 }, () => post('wait.php'))
    await eventually('all children are busy', async () => {
      const { said } = await ping([statusSocket, '/status'])
      return said.includes('idle processes:       0')
    })
    expect(await ping([statusSocket, '/ping'])).toEqual({ code: 0, said: '' })
    writeFileSync(release, '')
    for (const { status } of await Promise.all(requests)) expect(status).toBe(200)
  })

  it.each([
    ['a socket that is not there', [join(run, 'none.sock')], 'No such file or directory'],
    ['a page that is no ping page', [statusSocket, '/elsewhere'], 'File not found.'],
    ['no socket named', [], 'Usage'],
  ])('fails with %s', async (_, args, reason) => {
    expect(await ping(args)).toEqual({ code: 1, said: expect.stringContaining(reason) })
  })
})

describe('a running script', () => {
  it('ends in peace when the pool is reloaded, and what came meanwhile is executed', async () => {
    const before = post('worker.php', 'number=101&daemonId=D-1')
    await eventually('the script runs', () => errorLog().includes('Processing 101 from'))
    master?.signal('SIGUSR2')
    const meanwhile = post('worker.php', 'number=102&daemonId=D-1')
    expect((await before).body.toString()).toBe('done')
    expect((await meanwhile).body.toString()).toBe('done')
  })

  it('ends in peace when the pool is stopped', async () => {
    const before = post('worker.php', 'number=103&daemonId=D-1')
    await eventually('the script runs', () => errorLog().includes('Processing 103 from'))
    master?.signal('SIGQUIT')
    expect((await before).body.toString()).toBe('done')
    expect(await master?.exited).toEqual({ code: 0, signal: null })
  })
})
