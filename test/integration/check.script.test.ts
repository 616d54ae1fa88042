import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect } from 'vitest'
import type { Finding } from '../../src/operate/check/finding.ts'
import { test } from '../support/fixtures.ts'
import type { Given } from '../support/given.ts'
import { laravelApplication } from '../support/laravel-application.ts'
import { look, quotedIn } from '../support/looks.ts'
import type { PoolOptions } from '../support/pool-configuration.ts'
import { removeFolder, temporaryFolder } from '../support/run-folder.ts'
import { frameworkApplication } from '../support/symfony.ts'

/*
 * Ways in which a script, and the PHP that it runs in, can be wrong: each is found, with the remedy, which is applied, and then that point
 * has passed.
 */

const autoload = fileURLToPath(new URL('../../worker-php/autoload.php', import.meta.url))
const folder = temporaryFolder('check-script')
const ran = join(folder, 'ran')
afterAll(() => removeFolder(folder))

/** Writes a script. */
function script(name: string, php: string): string {
  const path = join(folder, name)
  writeFileSync(path, php)
  return path
}

const NOTE = `file_put_contents('${ran}', 'x', FILE_APPEND);`
const WORKER = `require '${autoload}';
use FpmBridge\\Worker\\Worker;
Worker::run(function (): void { ${NOTE} });
`
const right = script('right.php', `<?php\n${WORKER}`)
const plain = script('plain.php', `<?php\n${NOTE}\necho 'done';\n`)

describe('the script', () => {
  test('of the package answers, and executes nothing', async ({ sharedPool }) => {
    for (const given of [{}, { 'messages-per-request': '10' }, { payload: 'raw', ack: 'completed' }]) {
      const { one } = await look({ socket: sharedPool.socket, script: right, ...given })
      expect(one('script.answers').status).toBe('passed')
      expect(one('script.answers').text).toMatch(/^worker-php answers after \d+ ms, in PHP \d/)
      expect(one('script.silence').status).toBe('passed')
    }
    expect(existsSync(ran)).toBe(false)
  })

  test('boots no application for it', async ({ sharedPool }) => {
    const booting = WORKER.replace('run(function', 'boot(function')
    const path = script('booting.php', `<?php\n${booting}`)
    expect(booting).toContain('Worker::boot(')
    const { one } = await look({ socket: sharedPool.socket, script: path })
    expect(one('script.answers').status).toBe('passed')
    expect(existsSync(ran)).toBe(false)
  })

  test('of Symfony or of Laravel answers before the framework is needed', async ({ sharedPool }) => {
    const folders = ['symfony', 'laravel'].map((name) => join(folder, name)) as [string, string]
    for (const each of folders) mkdirSync(each)
    // Neither kernel nor framework is there: whoever booted them would die.
    const scripts = [
      frameworkApplication(folders[0], { failureTransport: false, freshContainer: false }, autoload),
      laravelApplication(folders[1], { autoload, app: join(folder, 'no-such-app.php') }),
    ]
    for (const each of scripts) {
      const { one } = await look({ socket: sharedPool.socket, script: each })
      expect([one('script.found').status, one('script.answers').status]).toEqual(['passed', 'passed'])
    }
  })

  test('is in a folder that the pool does not see: correct --script', async ({ sharedPool }) => {
    const { socket } = sharedPool
    const found = (await look({ socket, script: '/nowhere/worker.php' })).one('script.found')
    expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(found.text).toBe('the pool does not see its folder')
    expect(found.remedy).toContain('correct --script')
    expect((await look({ socket, script: right })).one('script.found').status).toBe('passed')
  })

  test('is not there: correct --script', async ({ sharedPool }) => {
    const { socket } = sharedPool
    const missing = join(folder, 'rigth.php')
    const found = (await look({ socket, script: missing })).one('script.found')
    expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(found.remedy).toContain('correct --script')
    const probed = (await look({ socket, script: missing }, { probe: true })).one('script.found')
    expect(probed).toMatchObject({ status: 'failed', text: 'the pool does not find it' })
    expect((await look({ socket, script: right })).one('script.found').status).toBe('passed')
  })

  test('has a name that php-fpm runs nothing of: .php', async ({ sharedPool }) => {
    const { socket } = sharedPool
    const named = script('worker.inc', `<?php\n${WORKER}`)
    const found = (await look({ socket, script: named })).one('script.found')
    expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(found.remedy).toContain('have its name end with .php')
    expect((await look({ socket, script: right })).one('script.found').status).toBe('passed')
  })

  test.runIf(process.getuid?.() === 0)('may not be read by the pool: chmod', async ({ ownPool }) => {
    const { socket } = await ownPool({ settings: { user: 'nobody', group: 'nogroup' } })
    // Outside of the folder of the run, which is closed to other users.
    const secret = join(tmpdir(), `fpm-bridge-check-${process.pid}.php`)
    writeFileSync(secret, `<?php\n${WORKER}`)
    try {
      chmodSync(secret, 0o600)
      const found = (await look({ socket, script: secret })).one('script.found')
      expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
      expect(quotedIn(found.remedy)).toContain('chmod o+r')
      chmodSync(secret, 0o604)
      // What it includes is closed to that user, too: now that is what is told.
      const after = await look({ socket, script: secret })
      expect(after.all.filter(({ text }) => text.startsWith('the pool may not open it'))).toEqual([])
    } finally {
      rmSync(secret)
    }
  })

  test('dies before it comes to its worker: mend it', async ({ sharedPool, ownPool }) => {
    const dying = script('dying.php', `<?php\nno_such_function();\n${WORKER}`)
    // Where errors are not logged, nobody knows why.
    const silent = (await look({ socket: sharedPool.socket, script: dying })).one('script.answers')
    expect([silent.status, silent.text]).toEqual(['failed', 'it answers 500: nothing says why'])
    expect(quotedIn(silent.remedy)).toEqual(['php_admin_flag[log_errors] = on'])
    const { socket } = await ownPool({ ini: { log_errors: 'on' } })
    const found = (await look({ socket, script: dying })).one('script.answers')
    expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(found.text).toContain('Call to undefined function no_such_function()')
    expect(found.remedy).toBe('mend what it says')
    writeFileSync(dying, `<?php\n${WORKER}`)
    expect((await look({ socket, script: dying })).one('script.answers').status).toBe('passed')
  })

  test('prints something first: print nothing', async ({ sharedPool }) => {
    const { socket } = sharedPool
    const loud = script('loud.php', `\n<?php\n${WORKER}`)
    const found = (await look({ socket, script: loud })).one('script.silence')
    expect(found).toMatchObject({ status: 'failed', fault: 'configuration' })
    expect(found.text).toContain(`in ${loud}:`)
    expect(found.remedy).toContain('not even an empty line before <?php')
    writeFileSync(loud, `<?php\n${WORKER}`)
    expect((await look({ socket, script: loud })).one('script.silence').status).toBe('passed')
  })

  test('of others is executed with --probe, and not without', async ({ sharedPool }) => {
    const { socket } = sharedPool
    const { one } = await look({ socket, script: plain })
    expect([one('script.found').status, one('script.answers').status]).toEqual(['passed', 'unknown'])
    expect([one('php.settings').status, one('script.answers').remedy]).toEqual([
      'unknown',
      expect.stringContaining('with --probe it is executed once'),
    ])
    expect(existsSync(ran)).toBe(false)
    const probed = await look({ socket, script: plain }, { probe: true })
    expect(probed.one('script.answers').status).toBe('passed')
    expect(existsSync(ran)).toBe(true)
  })
})

describe('the settings of PHP', () => {
  interface Way {
    readonly point: string
    readonly text: RegExp
    readonly status?: Finding['status']
    /** Of the pool where all is wrong. */
    readonly ini?: PoolOptions['ini']
    readonly settings?: PoolOptions['settings']
  }

  const closed = join(folder, 'no-such-folder')
  const WAYS: readonly Way[] = [
    { point: 'display_errors', text: /has answered 200, which is success/, ini: { display_errors: 'on' } },
    { point: 'log_errors', text: /errors are logged nowhere/, ini: { log_errors: 'off' } },
    { point: 'error_log', text: /errors go to .*elsewhere/, ini: { error_log: join(folder, 'elsewhere') } },
    { point: 'fastcgi.logging', text: /does not go to the daemon/, ini: { 'fastcgi.logging': 'off' } },
    { point: 'post_max_size', text: /of a form beyond 8M PHP takes nothing/, ini: { post_max_size: '8M' } },
    { point: 'max_input_vars', text: /with more than 100 fields/, ini: { max_input_vars: 100 } },
    {
      point: 'enable_post_data_reading',
      text: /\$_POST is empty for each message/,
      status: 'failed',
      ini: { enable_post_data_reading: 'off' },
    },
    { point: 'memory_limit', text: /no more memory than 10M/, ini: { memory_limit: '10M' } },
    {
      point: 'upload_tmp_dir',
      text: /the pool cannot write to .*no-such-folder/,
      status: 'failed',
      ini: { upload_tmp_dir: closed },
    },
    { point: 'max_execution_time', text: /computed for 30 s is ended/, ini: { max_execution_time: 30 } },
    { point: 'request_terminate_timeout', text: /a script that hangs keeps its child for ever/ },
    { point: 'process_control_timeout', text: /a reload of php-fpm ends what runs/ },
    {
      point: 'pm.max_children',
      text: /may have 2 children, and its bridges together ask for 4/,
      settings: { pm: 'ondemand', 'pm.max_children': 2 },
    },
    { point: 'opcache', text: /compiles the application anew/ },
    { point: 'user', text: /scripts run as root/ },
  ]

  /** The lines of all remedies, as a pool takes them. */
  function poolOf(findings: readonly Finding[]): PoolOptions {
    const remedies = findings.flatMap((finding) => ('remedy' in finding ? [finding.remedy ?? ''] : []))
    const lines = remedies.flatMap(quotedIn).map((line) => line.split(' = ') as [string, string?])
    const ini = lines.flatMap(([name, value = '']) => {
      const [, key] = /^php_admin_(?:value|flag)\[(.+)\]$/.exec(name) ?? []
      return key === undefined || key === 'opcache.enable' ? [] : [[key, value] as const]
    })
    const own = lines.filter(([name]) => /^(?:request_terminate_timeout|pm\.max_children)$/.test(name))
    const all = lines.filter(([name]) => name === 'process_control_timeout')
    return {
      ini: Object.fromEntries(ini),
      settings: Object.fromEntries(own),
      global: Object.fromEntries(all),
      opcache: true,
    }
  }

  test('are compared with the options, and mended by what is said', async ({ ownPool }) => {
    const ini = Object.assign({}, ...WAYS.map((way) => way.ini))
    const settings = Object.assign({}, ...WAYS.map((way) => way.settings))
    const given: Given = { script: right, ack: 'completed' }
    const wrong = await ownPool({ ini, settings })
    const before = await look({ ...given, socket: wrong.socket })
    const found = WAYS.map(({ point }) => before.one(`php.${point}`))
    expect(found.map(({ status, text }) => [status, text])).toEqual(
      WAYS.map(({ status = 'warned', text }) => [status, expect.stringMatching(text)]),
    )
    const pool = await ownPool({ pm: 'ondemand', ...poolOf(found) })
    const after = await look({ ...given, socket: pool.socket })
    // php-fpm of the tests runs as root.
    const left = after.all.filter(({ area, status }) => area === 'php' && status !== 'passed')
    expect(left.map(({ point }) => point)).toEqual(['user'])
  })

  test('a time limit that is longer than --timeout: request_terminate_timeout', async ({ ownPool }) => {
    const slow = await ownPool({ settings: { request_terminate_timeout: '30m' } })
    const point = 'php.request_terminate_timeout'
    const found = (await look({ socket: slow.socket, script: right })).one(point)
    expect(found.status).toBe('warned')
    expect(found.text).toBe(
      '30m is not shorter than --timeout (25m): a script runs on beside its own repetition',
    )
    expect(quotedIn(found.remedy)).toEqual(['request_terminate_timeout = 24m'])
    const pool = await ownPool({ settings: { request_terminate_timeout: '24m' } })
    const { one } = await look({ socket: pool.socket, script: right })
    expect(one(point).status).toBe('passed')
  })

  test('are found in files that php-fpm includes', async ({ ownPool }) => {
    const included = join(folder, 'pool.d')
    mkdirSync(included)
    writeFileSync(
      join(included, 'commands.conf'),
      '[commands]\n; not this: request_terminate_timeout = 1s\nrequest_terminate_timeout = "24m"\n',
    )
    const pool = await ownPool({ global: { include: join(included, '*.conf') } })
    const { one } = await look({ socket: pool.socket, script: right })
    expect(one('php.request_terminate_timeout').text).toBe('a script is ended after 24m, before --timeout')
  })
})
