import { describe, expect, it } from 'vitest'
import { type Given, refusal, run, wholeRun } from '../../support/given.ts'

describe('run', () => {
  it('needs a socket and a script; all else has a default', () => {
    expect(run()).toEqual({
      brokers: [
        {
          tls: undefined,
          hostname: '127.0.0.1',
          port: 5672,
          vhost: '/',
          sasl: { mechanism: 'PLAIN', username: 'guest', password: 'guest' },
          heartbeat: 10,
          frameMax: 131_072,
        },
      ],
      name: 'commands',
      listed: false,
      queue: 'commands',
      queueType: 'classic',
      declare: true,
      pool: { kind: 'unix', path: '/run/fpm.sock' },
      script: '/srv/worker.php',
      daemonId: expect.stringMatching(/^D-[0-9a-f]{8}$/),
      payload: 'form',
      concurrency: 4,
      prefetch: 4,
      allowTransientQueue: false,
      deadLetterQueue: 'commands.dead',
      drainTimeout: 30_000,
      ack: 'dispatched',
      timeout: 25 * 60_000,
      consumerTimeout: 30 * 60_000,
      maxAttempts: 1,
      retryDelay: 1_000,
      retryMaxDelay: 600_000,
      requireMarker: false,
      maxBody: 134_217_728,
      maxBytesInFlight: 268_435_456,
      transport: 'native',
      keepAlive: true,
      messagesPerRequest: 1,
      requestLifetime: 1_000,
      maxResponse: 1_048_576,
      maxStderr: 65_536,
      statusPath: '/status',
      pingPath: '/ping',
      logLevel: 'info',
      logFormat: 'auto',
      logMessages: 'all',
      control: false,
      instances: 1,
      maxMessages: undefined,
      maxMemory: undefined,
      recordFile: undefined,
    })
  })

  it.each([
    [{ ack: 'completed' }, true],
    [{ ack: 'completed', 'keep-alive': 'off' }, false],
    [{ ack: 'dispatched' }, true],
    [{ ack: 'dispatched', 'keep-alive': 'off' }, false],
    [{ ack: 'dispatched', socket: '127.0.0.1:9000' }, false],
    [{ ack: 'completed', socket: '127.0.0.1:9000' }, true],
    [{ ack: 'dispatched', 'keep-alive': 'on' }, true],
    [{ ack: 'completed', transport: 'fastcgi-client' }, false],
  ])('with %j reuses connections: %s', (given, keepAlive) => {
    expect(run(given)).toMatchObject({ keepAlive })
  })

  it('has no time limit with a transport that keeps none, so that no worker is told of one', () => {
    expect(run({ transport: 'fastcgi-client' })).toMatchObject({ timeout: 0 })
  })

  it('is frozen', () => {
    const { process, bridges } = wholeRun()
    for (const part of [process, bridges, ...bridges]) expect(Object.isFrozen(part)).toBe(true)
  })

  it('keeps several URLs in their order', () => {
    const { brokers } = run({ url: ['amqp://b', 'amqps://a', 'amqp://b:5673'] })
    expect(brokers.map(({ hostname, port }) => [hostname, port])).toEqual([
      ['b', 5672],
      ['a', 5671],
      ['b', 5673],
    ])
  })

  it('makes up another daemon id each time', () => {
    expect(run().daemonId).not.toBe(run().daemonId)
  })

  it('derives prefetch and dead-letter queue from what is given', () => {
    expect(run({ concurrency: '9', queue: 'orders' })).toMatchObject({
      prefetch: 9,
      deadLetterQueue: 'orders.dead',
    })
  })

  it.each([
    ['1', 1],
    ['4', 6],
    ['5', 7],
    ['65535', 65_535],
  ])('reads ahead half of --concurrency %s with --ack completed', (concurrency, prefetch) => {
    expect(run({ concurrency, ack: 'completed' })).toMatchObject({ prefetch })
  })

  it.each<[Given, string]>([
    [
      { socket: 'fpm.sock' },
      '--socket must be an absolute socket path (/run/php/fpm.sock), unix:///path or host:port, not "fpm.sock"',
    ],
    [{ script: 'worker.php' }, '--script must be an absolute path, as php-fpm sees it, not "worker.php"'],
    [{ prefetch: '0' }, '--prefetch must be an integer from 1 to 65535, not "0"'],
    [{ prefetch: 'NaN' }, '--prefetch must be an integer from 1 to 65535, not "NaN"'],
    [{ prefetch: '70000' }, '--prefetch must be an integer from 1 to 65535, not "70000"'],
    [{ prefetch: '-1' }, '--prefetch must be an integer from 1 to 65535, not "-1"'],
    [{ prefetch: '3' }, '--prefetch is below --concurrency 4: some slots would never get a message'],
    [{ concurrency: '0' }, '--concurrency must be an integer from 1 to 65535, not "0"'],
    [{ queue: 'amq.x' }, '--queue must not begin with amq., which the broker keeps for itself, not "amq.x"'],
    [{ 'queue-type': 'stream' }, '--queue-type must be classic or quorum, not "stream"'],
    [{ declare: 'maybe' }, '--declare must be true or false, not "maybe"'],
    [{ 'daemon-id': 'a\nb' }, '--daemon-id must not have control characters, not "a\\nb"'],
    [
      { 'drain-timeout': 'Infinity' },
      '--drain-timeout must be a duration such as 500ms, 30s, 25m or 2h, not "Infinity"',
    ],
    [
      { 'drain-timeout': '1e9' },
      '--drain-timeout must be a duration such as 500ms, 30s, 25m or 2h, not "1e9"',
    ],
    [
      { 'dead-letter-queue': 'commands' },
      '--dead-letter-queue is the queue that is consumed: given-up messages would come back for ever',
    ],
    [{ transport: 'http' }, '--transport must be native or fastcgi-client, not "http"'],
    [{ ack: 'never' }, '--ack must be dispatched or completed, not "never"'],
    [{ 'keep-alive': 'yes' }, '--keep-alive must be auto or on or off, not "yes"'],
    [{ transport: 'fastcgi-client', 'keep-alive': 'on' }, '--keep-alive needs --transport native'],
    [{ transport: 'fastcgi-client', timeout: '5s' }, '--timeout needs --transport native'],
    [{ timeout: '-1s' }, '--timeout must be a duration such as 500ms, 30s, 25m or 2h, not "-1s"'],
    [{ 'max-response': '1' }, '--max-response must be a size such as 512B, 64KiB or 8MiB, not "1"'],
    [{ 'max-response': '1B' }, '--max-response must be from 1024 to 1073741824 bytes, not "1B"'],
    [{ 'max-stderr': '2GiB' }, '--max-stderr must be from 0 to 1073741824 bytes, not "2GiB"'],
    [{ 'status-path': 'status' }, '--status-path must be a path such as /status, not "status"'],
    [{ 'ping-path': '/a?b' }, '--ping-path must be a path such as /status, not "/a?b"'],
    [{ payload: 'json' }, '--payload must be form or raw, not "json"'],
    [{ 'log-level': 'trace' }, '--log-level must be error or warn or info or debug, not "trace"'],
    [{ url: 'amqp://host?heartbeat=abc' }, '--url has a heartbeat that is no integer from 0 to 65535'],
    [{ url: 'amqp://host?heartbeat=-5' }, '--url has a heartbeat that is no integer from 0 to 65535'],
    [{ url: ['amqp://host', 'amqp://'] }, '--url number 2 of 2 names no host'],
    [{ 'tls-insecure': 'true' }, '--tls-insecure needs a --url that begins with amqps://'],
    [{ 'tls-insecure': 'maybe' }, '--tls-insecure must be true or false, not "maybe"'],
    [{ queue: ['a', 'b'] }, '--queue takes one value'],
  ])('refuses %j', (given, message) => {
    expect(refusal(() => run(given))).toEqual([message, 64])
  })

  it.each<[Given, string]>([
    [{ queue: '' }, '--queue must not be empty'],
    [{ 'daemon-id': '' }, '--daemon-id must not be empty'],
  ])('refuses %j without quoting nothing', (given, message) => {
    expect(refusal(() => run(given))[0]).toMatch(new RegExp(`^${message}`))
  })

  it('refuses a queue whose dead-letter queue would have too long a name', () => {
    const [message, exitCode] = refusal(() => run({ queue: 'q'.repeat(251) }))
    expect(message).toContain('dead-letter-queue')
    expect(exitCode).toBe(64)
    expect(refusal(() => run({ queue: 'q'.repeat(251), 'dead-letter-queue': 'dead' }))[0]).toBe('accepted')
  })

  it.each([
    'amqp://alice:hunter2@ho st',
    'amqp://alice:hunter2@host:99999',
    'http://alice:hunter2@host',
    'hunter2',
    'amqp://alice:hunter2@host/a/b',
    'amqp://alice:hunter2%@host',
    'amqp://host?hunter2=1',
  ])('does not repeat the URL %s', (url) => {
    const [message, exitCode] = refusal(() => run({ url }))
    expect(message).toMatch(/^--url /)
    expect(message).not.toContain('hunter2')
    expect(exitCode).toBe(64)
  })
})
