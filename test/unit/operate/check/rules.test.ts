import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { faultOf, findingsOf, inTwo } from '../../../../src/operate/check/finding.ts'
import { bytesOf, fpmTime, fpmTimeOf, iniSize, isOn } from '../../../../src/operate/check/ini.ts'
import { type PhpFacts, readPhpFacts } from '../../../../src/operate/check/php-facts.ts'
import { PHP_RULES } from '../../../../src/operate/check/php-rules.ts'
import { type KnownQueue, QUEUE_RULES } from '../../../../src/operate/check/queue-rules.ts'
import { rightsCommand } from '../../../../src/operate/check/rights.ts'
import { usesPackage } from '../../../../src/operate/check/script-file.ts'
import { type Given, run, wholeRun } from '../../../support/given.ts'

/* What check makes of what it has learned. */

describe('values of php.ini and php-fpm', () => {
  it.each([['1'], ['On'], ['yes'], ['true'], ['stdout']])('%s is on', (text) => {
    expect(isOn(text)).toBe(true)
  })
  it.each([[undefined], [''], ['0'], ['Off'], ['no'], ['stderr']])('%s is off', (text) => {
    expect(isOn(text)).toBe(false)
  })
  it.each([
    ['8M', 8 * 1024 ** 2],
    ['128m', 128 * 1024 ** 2],
    ['1G', 1024 ** 3],
    ['2048', 2_048],
    ['-1', -1],
    ['much', Number.NaN],
    [undefined, Number.NaN],
  ])('%s is %s bytes', (text, bytes) => {
    expect(bytesOf(text)).toBe(bytes)
  })
  it.each([
    ['24m', 1_440_000],
    ['90', 90_000],
    ['5s', 5_000],
    ['1h', 3_600_000],
    ['0', 0],
    ['off', 0],
    [undefined, 0],
  ])('%s is %s ms', (text, milliseconds) => {
    expect(fpmTimeOf(text)).toBe(milliseconds)
  })
  it('are written as they are read', () => {
    expect([iniSize(1024 ** 3), iniSize(128 * 1024 ** 2), iniSize(1)]).toEqual(['1G', '128M', '1M'])
    expect([fpmTime(1_440_000), fpmTime(90_999)]).toEqual(['24m', '90s'])
  })
})

describe('a script', () => {
  const shipped = (name: string) =>
    readFileSync(new URL(`../../../../worker-php/${name}`, import.meta.url), 'utf8')

  it.each(['symfony/messenger.php', 'laravel/queue.php', 'examples/handler.php'])(
    'uses the package: %s',
    (name) => {
      expect(usesPackage(shipped(name))).toBe(true)
    },
  )
  it('does not: worker.php', () => {
    expect(usesPackage(shipped('worker.php'))).toBe(false)
  })
  it.each([
    '<?php use FpmBridge\\Worker\\Worker; (new Worker($lock))->execute($handler);',
    '<?php \\FpmBridge\\Worker\\Worker::run($handler);',
    '<?php use FpmBridge\\Worker\\{Worker}; FpmBridge\\Worker\\Worker::boot($boot);',
  ])('uses it: %s', (php) => {
    expect(usesPackage(php)).toBe(true)
  })
  it.each([
    '<?php // use FpmBridge\\Worker\\Worker; Worker::run($handler);\nwork();',
    '<?php /* FpmBridge\\Worker\\Worker\nWorker::run() */ work();',
    '<?php # FpmBridge\\Worker\\Worker; Worker::run();\nwork();',
    '<?php use FpmBridge\\Worker\\Worker; work();',
    '<?php use Other\\Worker; Worker::run($handler);',
    '<?php require "bootstrap.php";',
  ])('is not known to: %s', (php) => {
    expect(usesPackage(php)).toBe(false)
  })
})

const FACTS: PhpFacts = {
  php: '8.2.0',
  package: undefined,
  time: 0,
  boot: 1,
  userId: 33,
  begun: undefined,
  settings: {
    enable_post_data_reading: '1',
    log_errors: '1',
    max_execution_time: '0',
    max_input_vars: '1000',
    memory_limit: '-1',
    post_max_size: '0',
  },
  opcache: { enabled: true, full: false, restarts: 0 },
  temporary: { path: '/tmp', writable: true, free: undefined },
  pool: { request_terminate_timeout: '24m', process_control_timeout: '60s', 'pm.max_children': '4' },
}

function verdict(point: string, facts: Partial<PhpFacts>, given: Given = {}) {
  const rule = PHP_RULES.find((each) => each.point === point)
  return rule?.of({ ...FACTS, ...facts }, run(given), 4)
}

describe('a rule of PHP', () => {
  it.each(PHP_RULES.map(({ point }) => point))('%s: passed, where all is right', (point) => {
    expect(verdict(point, {})).toMatchObject({ is: 'passed' })
  })
  it.each(['request_terminate_timeout', 'process_control_timeout', 'pm.max_children'])(
    '%s: unknown, where the file of the pool cannot be read',
    (point) => {
      expect(verdict(point, { pool: undefined })).toMatchObject({ is: 'unknown' })
    },
  )
  it.each([
    [
      'request_terminate_timeout',
      { pool: { request_terminate_timeout: '1s' } },
      { 'messages-per-request': '10', 'request-lifetime': '2s' },
      /it counts a request with all its messages/,
    ],
    ['upload_tmp_dir', { temporary: { path: '/tmp', writable: true, free: 1_000_000 } }, {}, /has 1M left/],
    ['opcache', { opcache: { enabled: true, full: true, restarts: 0 } }, {}, /it is too small: full/],
    ['opcache', { opcache: { enabled: true, full: false, restarts: 3 } }, {}, /started anew 3 times/],
  ] as const)('%s: warned of %o', (point, facts, given, text) => {
    expect(verdict(point, facts, given)).toMatchObject({
      is: 'warned',
      text: expect.stringMatching(text),
      remedy: expect.any(String),
    })
  })
  // Of php-fpm's 0 there is no limit, and of --max-body 0 no message.
  it.each([
    ['request_terminate_timeout', { pool: {} }, { timeout: '1s' }, /= 1s`, and a longer --timeout$/],
    ['request_terminate_timeout', { pool: {} }, { timeout: '1100ms' }, /= 1s`$/],
    ['post_max_size', { settings: { post_max_size: '512K' } }, {}, /or --max-body 524288B$/],
  ] as const)('%s: no zero in the remedy of %o', (point, facts, given, remedy) => {
    expect(verdict(point, facts, given)).toMatchObject({ remedy: expect.stringMatching(remedy) })
  })
  it.each([
    ['post_max_size', { settings: { post_max_size: '8M' } }, { payload: 'raw' }],
    ['post_max_size', { settings: { post_max_size: '8M' } }, { 'messages-per-request': '10' }],
    ['max_input_vars', { settings: { max_input_vars: '1' } }, { payload: 'raw' }],
    ['enable_post_data_reading', { settings: {} }, { payload: 'raw' }],
    ['request_terminate_timeout', { pool: { request_terminate_timeout: '30m' } }, { timeout: '0' }],
  ] as const)('%s: none of %o with %o', (point, facts, given) => {
    expect(verdict(point, facts, given)).toMatchObject({ is: 'passed' })
  })
})

describe('what the package says', () => {
  const mark = 'a'.repeat(32)
  const said = {
    php: '8.4.1',
    sapi: 'fpm-fcgi',
    package: 'v1.2.0',
    time: 1_700_000_000.5,
    seconds: 0.25,
    user: 33,
    begun: null,
    settings: { log_errors: '1', memory_limit: 128 },
    opcache: { enabled: true, full: false, restarts: 0 },
    temporary: { path: '/tmp', writable: true, free: null },
    pool: null,
  }

  it('is read, behind whatever was printed before', () => {
    const { facts, before } = readPhpFacts(`Notice: x\n${mark}${JSON.stringify(said)}\n`, mark) ?? {}
    expect(before).toBe('Notice: x')
    expect(facts).toMatchObject({ php: '8.4.1', package: 'v1.2.0', time: 1_700_000_000_500, boot: 250 })
    expect(facts).toMatchObject({ settings: { log_errors: '1' }, pool: undefined, begun: undefined })
  })
  it.each(['', 'done', `\n${mark}`, `\n${mark}{}`, `\n${mark}[1]`, `\n${mark}null`, `${mark}{"php":1}`])(
    'is no such thing: %s',
    (body) => {
      expect(readPhpFacts(body, mark)).toBeUndefined()
    },
  )
})

describe('a rule of queues', () => {
  const queue: KnownQueue = {
    name: 'commands.dead',
    consumed: false,
    nature: { durable: true, autoDelete: false, expires: undefined, type: 'quorum', arguments: {} },
    arguments: {},
    wanted: 'quorum',
    major: 4,
  }
  const of = (point: string, known: Partial<KnownQueue>) =>
    QUEUE_RULES.find((rule) => rule.point === point)?.of({ ...queue, ...known })

  it('delivery-limit: dead letters of RabbitMQ 4 go when they are looked at', () => {
    expect(of('delivery-limit', {})).toEqual([
      'whoever has looked at a dead letter 20 times loses it (delivery-limit)',
      `rabbitmqctl set_policy --apply-to queues keep '^commands\\.dead$' '{"delivery-limit": -1}'`,
    ])
    expect(of('delivery-limit', { major: 3 })).toBeUndefined()
    expect(of('delivery-limit', { arguments: { 'x-delivery-limit': -1 } })).toBeUndefined()
    expect(of('delivery-limit', { consumed: true })).toBeUndefined()
  })
})

describe('the rights', () => {
  const commandOf = (given: Given, control = false) => {
    const { process, bridges } = wholeRun(given)
    return rightsCommand(process.brokers[0] ?? expect.fail(), bridges, control)
  }

  it('of one bridge', () => {
    expect(commandOf({ url: 'amqp://bridge:s3cret@host/my%20vhost', queue: 'a.b' })).toBe(
      `rabbitmqctl set_permissions -p 'my vhost' bridge '^(a\\.b|a\\.b\\.dead)$' '^(amq\\.default)$' '^(a\\.b|a\\.b\\.dead)$'`,
    )
  })
  it('with retries, and of one who obeys commands', () => {
    const command = commandOf({ ack: 'completed', queue: "it's" }, true)
    expect(command).toContain(`it'\\''s\\.retry\\..*`)
    expect(command).toContain(`it'\\''s\\.paused`)
    expect(command).toContain('fpm-bridge|amq\\.gen-.*)')
  })
})

describe('findings', () => {
  const { passed, warned, failed } = findingsOf('pool', '/run/fpm.sock')

  it('have the worst of their faults', () => {
    expect(faultOf([passed('a', ''), warned('b', '', '')])).toBeUndefined()
    expect(faultOf([failed('a', 'unavailable', '', '')])).toBe('unavailable')
    expect(faultOf([failed('a', 'unavailable', '', ''), failed('b', 'configuration', '', '')])).toBe(
      'configuration',
    )
  })
  it('have the remedy of an error apart', () => {
    expect(inTwo('no; do this; or that', 'usual')).toEqual(['no', 'do this; or that'])
    expect(inTwo('no', 'usual')).toEqual(['no', 'usual'])
    expect(inTwo('no; is it there?', 'usual')).toEqual(['no', 'usual'])
  })
})
