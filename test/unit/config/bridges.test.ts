import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfigFile } from '../../../src/command-line/config-file.ts'
import { collectOptions } from '../../../src/command-line/sources.ts'
import { readPublishConfig } from '../../../src/config/publish-config.ts'
import { readRunConfig } from '../../../src/config/run-config.ts'
import { refusal } from '../../support/given.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fpm-bridge-bridges-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Beside {
  readonly flags?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
  readonly runningId?: string
}

/** What `run` makes of a file, and of flags and environment beside it. */
function read(text: string, { flags = {}, environment = {}, runningId }: Beside = {}) {
  const config = join(folder, 'f.yaml')
  writeFileSync(config, text)
  const given = Object.entries({ ...flags, config }).map(([name, value]) => [name, [value]] as const)
  return readRunConfig(collectOptions('run', new Map(given), environment, readConfigFile), runningId)
}

/** The complaints, and the exit code; none when it is accepted. */
function complaints(text: string, beside: Beside = {}): readonly [exitCode: number, ...complaints: string[]] {
  const [message, exitCode] = refusal(() => read(text, beside))
  return exitCode === 0 ? [0] : [exitCode, ...message.replaceAll(folder, '').split('\n')]
}

const POOL = 'socket: /fpm.sock\nscript: /w.php\n'
const queues = (...names: string[]) =>
  `${POOL}bridges:\n${names.map((name) => `- queue: ${name}\n`).join('')}`

describe('several bridges', () => {
  it('are a thousand at most', () => {
    const many = (count: number) => queues(...Array.from({ length: count }, (_, index) => `q${index}`))
    expect(complaints(`ack: completed\n${many(1_000)}`)).toEqual([0])
    expect(complaints(many(1_001))).toEqual([
      78,
      'bridges (/f.yaml:3) has 1001 bridges; one process takes 1000',
    ])
  })

  it('have what their entries say, else what is said for all of them', () => {
    const { process, bridges } = read(
      [
        'url: amqp://broker',
        'drain-timeout: 5s',
        'concurrency: 4',
        'bridges:',
        '  - name: bills',
        '    queue: invoices',
        '    socket: /run/invoices.sock',
        '    script: /srv/worker.php',
        '    concurrency: 8',
        '  - queue: mails',
        '    socket: /run/mails.sock',
        '    script: /srv/mails.php',
        '    ack: completed',
      ].join('\n'),
    )
    expect(process).toMatchObject({ drainTimeout: 5_000, brokers: [{ hostname: 'broker' }] })
    expect(bridges).toMatchObject([
      { name: 'bills', queue: 'invoices', concurrency: 8, prefetch: 8, ack: 'dispatched' },
      { name: 'mails', queue: 'mails', concurrency: 4, prefetch: 6, ack: 'completed' },
    ])
    expect(bridges.map(({ daemonId }) => daemonId)).toEqual([process.daemonId, process.daemonId])
    for (const part of [process, bridges, ...bridges]) expect(Object.isFrozen(part)).toBe(true)
  })

  it('answer where they say so, and callers without a queue unless they say otherwise', () => {
    const { bridges } = read(
      `${POOL}bridges:\n- {queue: a, replies: true}\n- {queue: b}\n- {queue: c, replies: true, reply-allow: [x, y.*]}`,
    )
    expect(bridges.map(({ replyAllow }) => replyAllow)).toEqual([
      ['amq.rabbitmq.reply-to.*'],
      undefined,
      ['x', 'y.*'],
    ])
    expect(complaints(`${POOL}bridges:\n- {queue: a, reply-allow: x}`)).toEqual([
      78,
      'bridges[0].reply-allow (/f.yaml:4) needs --replies',
    ])
  })

  it('may be one, and may share a pool and a dead-letter queue', () => {
    expect(read(queues('a')).bridges).toHaveLength(1)
    expect(read(`dead-letter-queue: dead\n${queues('a', 'b')}`).bridges).toMatchObject([
      { deadLetterQueue: 'dead', pool: { path: '/fpm.sock' } },
      { deadLetterQueue: 'dead', pool: { path: '/fpm.sock' } },
    ])
  })

  it.each<[string, string, Beside, number]>([
    [
      'an entry',
      'concurrency: 5\n',
      { flags: { concurrency: '7' }, environment: { FPM_BRIDGE_CONCURRENCY: '6' } },
      8,
    ],
    [
      'else the flag',
      'concurrency: 5\n',
      { flags: { concurrency: '7' }, environment: { FPM_BRIDGE_CONCURRENCY: '6' } },
      7,
    ],
    ['else the environment', 'concurrency: 5\n', { environment: { FPM_BRIDGE_CONCURRENCY: '6' } }, 6],
    ['else the top level', 'concurrency: 5\n', {}, 5],
    ['else the default', '', {}, 4],
  ])('go by %s', (which, top, beside, expected) => {
    const own = which === 'an entry' ? '  concurrency: 8\n' : ''
    const { bridges } = read(`${top}${queues('b', 'a')}${own}`, beside)
    expect(bridges.at(-1)).toMatchObject({ queue: 'a', concurrency: expected })
  })

  it('let a flag win over the file in what is of the process', () => {
    const { process } = read(`log-level: warn\n${queues('a')}`, { flags: { 'log-level': 'debug' } })
    expect(process).toMatchObject({ logLevel: 'debug' })
  })
})

describe('the name of a bridge', () => {
  const long = 'q'.repeat(240)

  it('is its queue by default, as far as that goes', () => {
    expect(read(queues('a', long)).bridges.map(({ name }) => name)).toEqual(['a', 'q'.repeat(100)])
    expect(read(queues('€'.repeat(40))).bridges[0]?.name).toBe('€'.repeat(33))
  })

  it('may be given where there is one bridge, from anywhere', () => {
    expect(read(`name: a\n${POOL}`).bridges[0]?.name).toBe('a')
    expect(read(POOL, { flags: { name: 'b' } }).bridges[0]?.name).toBe('b')
    expect(read(POOL, { environment: { FPM_BRIDGE_NAME: 'c' } }).bridges[0]?.name).toBe('c')
  })

  it.each([
    ['""', 'must not be empty'],
    [`"${'n'.repeat(101)}"`, `must be at most 100 bytes long, not "${'n'.repeat(101)}"`],
    ['"a\\nb"', 'must not have control characters, not "a\\nb"'],
  ])('is not %s', (name, complaint) => {
    expect(complaints(`${queues('a')}  name: ${name}`)).toEqual([
      78,
      `bridges[0].name (/f.yaml:5) ${complaint}`,
    ])
  })

  it('is not that of another', () => {
    expect(complaints(`${queues('a', 'b')}  name: a`)).toEqual([
      78,
      'bridges[1].name (/f.yaml:6) "a" is that of bridges[0] (/f.yaml:4) already',
    ])
    expect(complaints(queues(`${long}a`, `${long}b`))).toEqual([
      78,
      `bridges[1].name (/f.yaml:5) "${'q'.repeat(100)}" is that of bridges[0] (/f.yaml:4) already`,
    ])
  })
})

describe('refused', () => {
  it.each<[string, string, Beside, readonly [number, ...string[]]]>([
    [
      'a queue twice',
      queues('a', 'b', 'a'),
      {},
      [78, 'bridges[2].queue (/f.yaml:6) is consumed by bridges[0] (/f.yaml:4) already'],
    ],
    [
      'a bridge without a queue',
      `${POOL}bridges:\n- ack: completed`,
      {},
      [78, 'bridges[0].queue (/f.yaml:4) is required'],
    ],
    [
      'a bridge without a pool',
      'script: /w.php\nbridges:\n- queue: a',
      {},
      [78, 'bridges[0].socket (/f.yaml:3) is required'],
    ],
    [
      'a queue for all',
      `queue: b\n${queues('a')}`,
      {},
      [78, 'queue (/f.yaml:1) belongs to one bridge: with bridges: it goes into each entry'],
    ],
    [
      'a queue by flag',
      queues('a'),
      { flags: { queue: 'b' } },
      [64, '--queue belongs to one bridge: with bridges: it goes into each entry'],
    ],
    [
      'a queue by environment',
      queues('a'),
      { environment: { FPM_BRIDGE_QUEUE: 'b' } },
      [78, '--queue (from FPM_BRIDGE_QUEUE) belongs to one bridge: with bridges: it goes into each entry'],
    ],
    [
      'a name for all',
      `name: b\n${queues('a')}`,
      {},
      [78, 'name (/f.yaml:1) belongs to one bridge: with bridges: it goes into each entry'],
    ],
    [
      'a flag that no bridge takes',
      'script: /w.php\nbridges:\n- {queue: a, socket: /a}\n- {queue: b, socket: /b}',
      { flags: { socket: '/c' } },
      [64, '--socket changes nothing: each entry of bridges: has its own, which counts'],
    ],
    [
      'a value that is wrong for all, once',
      `timeout: 7\n${queues('a', 'b')}`,
      {},
      [78, 'timeout (/f.yaml:1) must be a duration such as 500ms, 30s, 25m or 2h, not "7"'],
    ],
    [
      'a value for all that is wrong for one',
      `prefetch: 4\n${queues('a', 'b')}  concurrency: 8`,
      {},
      [
        78,
        'bridges[1] (/f.yaml:6): prefetch (/f.yaml:1) is below --concurrency 8: some slots would never get a message',
      ],
    ],
    [
      'a flag that is wrong for one',
      `${queues('a', 'b')}  concurrency: 8`,
      { flags: { prefetch: '4' } },
      [
        64,
        'bridges[1] (/f.yaml:5): --prefetch is below --concurrency 8: some slots would never get a message',
      ],
    ],
    [
      'a default that is wrong for one',
      `${queues('a')}  ack: completed\n  timeout: 1h`,
      {},
      [
        78,
        'bridges[0].consumer-timeout (/f.yaml:4) must be more than a minute longer than --timeout: the broker would close the channel of what is still executed',
      ],
    ],
  ])('%s', (_, text, beside, expected) => {
    expect(complaints(text, beside)).toEqual(expected)
  })

  it('all at once, with the line of each; a wrong command line outweighs a wrong file', () => {
    const text = [
      'log-level: loud',
      'quue: a',
      'bridges:',
      '- {queue: a, socket: fpm.sock, script: /w.php}',
      '- {queue: a, socket: /fpm.sock, script: /w.php, concurrency: 0, max-body: 7}',
      '- {queue: b, socket: /fpm.sock, script: /w.php, prefetch: 2, retry-delay: 2s, timeout: 9d}',
      '- {queue: c, socket: /fpm.sock, script: /w.php, prefetch: 2, retry-delay: 2s, max-attempts: 3}',
      '- {queue: c, socket: /fpm.sock, script: /w.php}',
    ].join('\n')
    expect(
      complaints(text, {
        flags: { 'drain-timeout': 'soon' },
        environment: { FPM_BRIDGE_URL: 'http://u:s3cret@h' },
      }),
    ).toEqual([
      64,
      'quue (/f.yaml:2) is unknown; did you mean queue?',
      '--url (from FPM_BRIDGE_URL) must begin with amqp:// or amqps://',
      '--drain-timeout must be a duration such as 500ms, 30s, 25m or 2h, not "soon"',
      'log-level (/f.yaml:1) must be error or warn or info or debug, not "loud"',
      'bridges[0].socket (/f.yaml:4) must be an absolute socket path (/run/php/fpm.sock), unix:///path or host:port, not "fpm.sock"',
      'bridges[1].concurrency (/f.yaml:5) must be an integer from 1 to 65535, not "0"',
      'bridges[1].max-body (/f.yaml:5) must be a size such as 512B, 64KiB or 8MiB, not "7"',
      'bridges[2].timeout (/f.yaml:6) must be a duration such as 500ms, 30s, 25m or 2h, not "9d"',
      'bridges[3].prefetch (/f.yaml:7) is below --concurrency 4: some slots would never get a message',
      'bridges[3].max-attempts (/f.yaml:7) needs --ack completed',
      'bridges[3].retry-delay (/f.yaml:7) needs --ack completed',
      'bridges[1].queue (/f.yaml:5) is consumed by bridges[0] (/f.yaml:4) already',
      'bridges[4].queue (/f.yaml:8) is consumed by bridges[3] (/f.yaml:7) already',
    ])
  })
})

describe('dead letters of one bridge in the queue of another', () => {
  const chain = (...links: readonly string[]) =>
    `${POOL}ack: completed\nbridges:\n${links
      .map((link) => link.split(' > '))
      .map(([queue, dead]) => `- {queue: ${queue}, dead-letter-queue: ${dead}}\n`)
      .join('')}`

  it.each([
    [['a > b', 'b > c']],
    [['a > b', 'b > c', 'c > dead', 'd > b']],
    [['a > dead', 'b > dead']],
    [['a > b.retry.1000', 'b > dead']],
  ])('are fine where they come to an end: %j', (links) => {
    expect(complaints(chain(...links))).toEqual([0])
  })

  it.each<[readonly string[], number, string]>([
    [['a > b', 'b > a'], 0, 'bridges[1]'],
    [['x > a', 'a > b', 'b > c', 'c > a'], 1, 'bridges[2], bridges[3]'],
    [['a > b.retry.1000', 'b > a.retry.600000'], 0, 'bridges[1]'],
  ])('must not go in a circle: %j', (links, index, way) => {
    expect(complaints(chain(...links))).toEqual([
      78,
      `bridges[${index}].dead-letter-queue (/f.yaml:${5 + index}) leads back here by way of ${way}: given-up messages would come back for ever`,
    ])
  })

  it('tell of each circle once', () => {
    expect(complaints(chain('a > b', 'b > a', 'c > d', 'd > c'))).toHaveLength(3)
  })
})

describe('a queue in which messages of another bridge rest', () => {
  it('is not consumed', () => {
    expect(complaints(`ack: completed\n${queues('a', 'a.retry.2000')}`)).toEqual([
      78,
      'bridges[1].queue (/f.yaml:6) is where the messages of bridges[0] (/f.yaml:5) rest between attempts',
    ])
  })

  it('is one like others where nothing is retried', () => {
    expect(complaints(queues('a', 'a.retry.2000'))).toEqual([0])
    expect(complaints(`ack: completed\n${queues('a', 'a.retry.2001')}`)).toEqual([0])
  })
})

describe('read again, while it runs', () => {
  it('a daemon id that was made up stays', () => {
    const first = read(queues('a'))
    const second = read(queues('a'), { runningId: first.process.daemonId })
    expect(second).toEqual(first)
  })

  it('a daemon id that was changed is told, and is not that of the bridges', () => {
    const { process, bridges } = read(`daemon-id: new\n${queues('a')}`, { runningId: 'old' })
    expect([process.daemonId, bridges[0]?.daemonId]).toEqual(['new', 'old'])
    expect(read(`daemon-id: new\n${queues('a')}`).bridges[0]?.daemonId).toBe('new')
  })
})

describe('publish', () => {
  const publish = (text: string, flags: Readonly<Record<string, string>> = {}) => {
    const config = join(folder, 'f.yaml')
    writeFileSync(config, text)
    const given = Object.entries({ ...flags, config }).map(([name, value]) => [name, [value]] as const)
    return readPublishConfig(collectOptions('publish', new Map(given), {}, readConfigFile), [])
  }

  it('takes what a file with bridges says of the broker, and asks for the queue', () => {
    const text = `url: amqp://broker\n${queues('a')}`
    expect(publish(text, { queue: 'a' })).toMatchObject({ queue: 'a', brokers: [{ hostname: 'broker' }] })
    expect(refusal(() => publish(text))).toEqual([
      '--queue is required: the file has several bridges, each with its queue',
      64,
    ])
  })
})
