import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { runBridge, spawnBridge } from '../support/bridge-process.ts'
import { BridgesFile } from '../support/bridges-file.ts'
import { eventually } from '../support/eventually.ts'
import { test, testScript } from '../support/fixtures.ts'
import { look, NOWHERE, quotedIn } from '../support/looks.ts'
import type { Pool } from '../support/pool.ts'
import { behave, nativeClient } from '../support/pool-client.ts'
import { childrenOf } from '../support/processes.ts'
import { removeFolder, temporaryFolder } from '../support/run-folder.ts'

/*
 * Ways in which a socket and the pool behind it can be wrong: each is found, with the remedy, which is applied, and then that point has
 * passed.
 */

/** Does what a remedy says. */
function apply(remedy: string): void {
  const [command = ''] = quotedIn(remedy)
  expect(command).toMatch(/^(mkdir|chmod) /)
  execFileSync('sh', ['-c', command])
}

describe('the socket', () => {
  test('is in a folder that is not there: make it, and start php-fpm', async ({ ownPool }) => {
    const folder = temporaryFolder('check')
    try {
      const socket = join(folder, 'run', 'fpm.sock')
      const found = (await look({ socket })).one('socket.folder')
      expect(found).toMatchObject({ status: 'failed', fault: 'unavailable' })
      expect(found.text).toBe(`there is no folder ${dirname(socket)}`)
      apply(found.remedy)
      // php-fpm does not run yet: that is the next thing.
      const next = (await look({ socket })).one('socket.socket')
      expect(next).toMatchObject({ status: 'failed', fault: 'unavailable', text: `there is no ${socket}` })
      expect(next.remedy).toContain('start php-fpm')
      await ownPool({ settings: { listen: socket } })
      const { one } = await look({ socket })
      expect([one('socket.folder').status, one('socket.socket').status]).toEqual(['passed', 'passed'])
    } finally {
      removeFolder(folder)
    }
  })

  test('is left over of a php-fpm that is gone: start it', async ({ ownPool }) => {
    const pool = await ownPool()
    await pool.kill()
    const found = (await look({ socket: pool.socket })).one('socket.connect')
    expect(found).toMatchObject({ status: 'failed', fault: 'unavailable' })
    expect(found.text).toContain('ECONNREFUSED')
    expect(found.remedy).toContain('start php-fpm')
    await pool.start()
    expect((await look({ socket: pool.socket })).one('socket.connect').status).toBe('passed')
  })

  test('is a file: correct --socket', async ({ sharedPool }) => {
    const found = (await look({ socket: testScript('behave.php') })).one('socket.socket')
    expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(found.text).toContain('is a file and no socket')
    expect(found.remedy).toContain('correct --socket')
    expect((await look({ socket: sharedPool.socket })).one('socket.socket').status).toBe('passed')
  })

  test('lets everybody in: listen.mode', async ({ ownPool }) => {
    const open = await ownPool({ settings: { 'listen.mode': '0666' } })
    const found = (await look({ socket: open.socket })).one('socket.others')
    expect(found.status).toBe('warned')
    const pool = await ownPool({ settings: { 'listen.mode': settingIn(found.remedy, 'listen.mode') } })
    expect((await look({ socket: pool.socket })).one('socket.others').status).toBe('passed')
  })

  /** What can be told of it only by another user. */
  const isRoot = process.getuid?.() === 0
  const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

  /** `fpm-bridge check --json`, of another user. */
  async function lookAsNobody(pool: Pick<Pool, 'socket'>) {
    const args = [
      'check',
      '--json',
      '--url',
      NOWHERE.url,
      '--socket',
      pool.socket,
      '--script',
      NOWHERE.script,
    ]
    const { exited, stdout } = await spawnBridge(args, {}, asNobody)
    const { code } = await exited
    const findings = stdout.map((line) => JSON.parse(line))
    return { code, of: (point: string) => findings.find((each) => each.point === point) }
  }

  test.runIf(isRoot)('is in a folder that lets nobody pass: chmod', async ({ ownPool }) => {
    const pool = await ownPool({ settings: { 'listen.mode': '0666' } })
    const { mode } = statSync(pool.directory)
    chmodSync(pool.directory, 0o700)
    const found = (await lookAsNobody(pool)).of('folder')
    // The folders above, of the run, are closed to other users, too.
    expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(found.text).toMatch(/ does not let nobody pass$/)
    let fault = found
    const closed: [string, number][] = []
    try {
      while (fault.status === 'failed') {
        const folder = fault.text.replace(/ \(.*/, '')
        closed.push([folder, statSync(folder).mode & 0o7777])
        apply(fault.remedy)
        fault = (await lookAsNobody(pool)).of('folder')
      }
      expect(fault.status).toBe('passed')
      expect(closed.at(-1)?.[0]).toBe(pool.directory)
    } finally {
      for (const [folder, before] of closed) chmodSync(folder, before)
      chmodSync(pool.directory, mode & 0o7777)
    }
  })

  test.runIf(isRoot)('does not let us connect: listen.group and listen.mode', async ({ ownPool }) => {
    // Outside of the folder of the run, which is closed to other users.
    const folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-check-'))
    chmodSync(folder, 0o755)
    try {
      const socket = join(folder, 'fpm.sock')
      const closed = await ownPool({ settings: { listen: socket, 'listen.mode': '0600' } })
      const found = (await lookAsNobody({ socket })).of('permission')
      expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
      expect(found.text).toMatch(/\(root:root 0600\) does not let nobody connect$/)
      await closed.close()
      const settings = {
        'listen.group': settingIn(found.remedy, 'listen.group'),
        'listen.mode': settingIn(found.remedy, 'listen.mode'),
      }
      await ownPool({ settings: { listen: socket, ...settings } })
      expect((await lookAsNobody({ socket })).of('permission').status).toBe('passed')
    } finally {
      removeFolder(folder)
    }
  })
})

/** The value of a line of the pool in a remedy. */
function settingIn(remedy: string, name: string): string {
  const line = quotedIn(remedy).find((each) => each.startsWith(`${name} = `))
  expect(line, remedy).toBeDefined()
  return (line ?? '').slice(name.length + 3)
}

describe('the pool', () => {
  test('is none: correct --socket', async ({ sharedPool }) => {
    const server = createServer((_, response) => response.end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address() as { port: number }
    try {
      const found = (await look({ socket: `127.0.0.1:${address.port}` })).one('pool.answers')
      expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
      expect(found.text).toContain('does not answer in FastCGI')
      expect(found.remedy).toContain('it must be the `listen` of a pool, whose `listen.allowed_clients`')
      expect((await look({ socket: sharedPool.socket })).one('pool.answers').status).toBe('passed')
    } finally {
      server.close()
    }
  })

  test('has no pages: ping.path and pm.status_path', async ({ ownPool }) => {
    const silent = await ownPool({ settings: { 'pm.status_path': '/other', 'ping.path': '/another' } })
    const { one } = await look({ socket: silent.socket })
    const [ping, status] = [one('pool.ping'), one('pool.status')]
    expect([ping.status, status.status, one('clocks.pool').status]).toEqual(['warned', 'warned', 'unknown'])
    const settings = {
      'ping.path': settingIn(ping.remedy, 'ping.path'),
      'pm.status_path': settingIn(status.remedy, 'pm.status_path'),
    }
    const pool = await ownPool({ settings })
    const after = await look({ socket: pool.socket })
    for (const point of ['pool.ping', 'pool.status', 'clocks.pool'])
      expect(after.one(point).status, point).toBe('passed')
  })

  test('has fewer children than its bridges together ask for: pm.max_children', async ({ ownPool }) => {
    const small = await ownPool({ children: 2 })
    await eventually('both are there', () => childrenOf(small.masterPid).length === 2)
    const configOf = ({ socket }: Pool) =>
      new BridgesFile({ instances: 2 }, [
        { queue: 'a', socket, concurrency: 2 },
        { queue: 'b', socket, concurrency: 1 },
      ]).path
    const found = (await look({ config: configOf(small) })).one('pool.children')
    expect(found.status).toBe('warned')
    expect(found.text).toContain('it has 2 children, and the bridges together ask for 6')
    const children = Number(settingIn(found.remedy, 'pm.max_children'))
    const pool = await ownPool({ children })
    expect((await look({ config: configOf(pool) })).one('pool.children').status).toBe('passed')
  })

  test('has all its children busy: more of them', async ({ ownPool }) => {
    const busy = await ownPool({ children: 1 })
    const client = nativeClient(busy)
    let running: Promise<unknown> = Promise.resolve()
    await new Promise<void>((onSent) => {
      running = behave(client, 'sleep', 60_000, { onSent }).catch(() => {})
    })
    const found = (await look({ socket: busy.socket })).one('pool.answers')
    expect(found).toMatchObject({ status: 'failed', fault: 'unavailable' })
    expect(found.remedy).toContain('more children (`pm.max_children`)')
    await busy.kill()
    await running
    client.close()
    const pool = await ownPool({ children: 2 })
    expect((await look({ socket: pool.socket })).one('pool.answers').status).toBe('passed')
  })

  test('has another time than we have: keep the time', async ({ sharedPool }) => {
    const { socket } = sharedPool
    const [ahead, behind] = await Promise.all([
      look({ socket }, { clock: -90_000 }),
      look({ socket }, { clock: 90_000 }),
    ])
    expect(ahead.one('clocks.pool')).toMatchObject({ status: 'warned' })
    expect(ahead.one('clocks.pool').text).toMatch(/^its clock is (89|90|91) s ahead of ours/)
    expect(behind.one('clocks.pool').text).toMatch(/^its clock is (89|90|91) s behind ours/)
    expect(ahead.one('clocks.pool').remedy).toContain('timedatectl set-ntp true')
    expect((await look({ socket })).one('clocks.pool').status).toBe('passed')
  })
})

describe('the command', () => {
  test('says it in lines, and by its exit code', async ({ broker, queue, sharedPool }) => {
    const args = ['check', '--url', broker.url, '-q', queue, '--script', testScript('note.php')]
    const fine = await runBridge([...args, '--socket', sharedPool.socket])
    expect(fine.code).toBe(0)
    expect(fine.stdout).toContain(`pool: ${sharedPool.socket}`)
    expect(fine.stdout.at(-1)).toMatch(/^\d+ passed, \d+ warned, 0 failed, \d+ could not be looked at$/)
    const away = await runBridge([...args, '--socket', NOWHERE.socket])
    expect(away.code).toBe(69)
    expect(away.stdout.join('\n')).toMatch(
      / FAIL {2}folder +there is no folder \/nowhere\n +-> php-fpm makes/,
    )
    const wrong = await runBridge([...args, '--socket', testScript('note.php')])
    expect(wrong.code).toBe(78)
  })

  test('waits for whoever reads it, as long as it takes', () => {
    const bridges = Array.from({ length: 400 }, (_, index) => ({ queue: `${'q'.repeat(80)}${index}` }))
    const { path } = new BridgesFile(NOWHERE, bridges)
    const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
    const checked = [process.execPath, program, 'check', '--json', '--config', path]
    const piped = ['-c', '"$@" | { sleep 2; tail -n 1; }', 'sh', ...checked]
    const { stdout } = spawnSync('sh', piped, { encoding: 'utf8', env: {} })
    expect(JSON.parse(stdout)).toMatchObject({ area: 'pool', point: 'answers' })
  })
})
