import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'amqplib'
import { describe, expect } from 'vitest'
import { closeConnections } from '../support/broker-connections.ts'
import { type Commander, startCommander } from '../support/commander.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test as base } from '../support/fixtures.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'
import { countsOf, expectCounts, readyIn } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* --control: what operators ask of daemons, by the exchange and in the work queue, and what others put there. */

const CONTROL = ['--control', '--ack', 'completed']
const LISTENING = 'Listening for commands.'

const test = base.extend<{ commander: Commander }>({
  commander: async ({ broker }, use) => {
    const commander = await startCommander(broker)
    await use(commander)
    await commander.hangUp()
  },
})

describe('by the exchange', () => {
  test('each daemon says how it is', async ({ broker, queue, startDaemon, commander }) => {
    const release = join(temporaryFolder('release'), 'now')
    const worker = workerThat(`if ($attempt && str_ends_with($_POST['number'], '9')) ${waitForFile(release)}`)
    const args = [...CONTROL, '--concurrency', '2', '--prefetch', '4']
    for (const id of ['one', 'two'])
      await startDaemon({ script: worker.path, args: [...args, '--daemon-id', `${queue}-${id}`] })
    await publishAll(broker, queue, [...numbers(3), ...Array(6).fill({ number: 9 })])
    await eventually('four are in flight', async () => worker.executions().length === 7)
    const answers = async () => {
      const id = commander.say('ping', { queue })
      await new Promise((resolve) => setTimeout(resolve, 300))
      return commander.answers.filter(({ correlationId }) => correlationId === id).map(({ report }) => report)
    }
    const reports = await eventually('both answer', async () => {
      const all = await answers()
      return all.length === 2 && all
    })
    expect(reports.map(({ daemon_id }) => daemon_id).sort()).toEqual([`${queue}-one`, `${queue}-two`])
    for (const report of reports)
      expect(report).toMatchObject({
        host: expect.any(String),
        pid: expect.any(Number),
        version: expect.stringMatching(/^\d/),
        uptime_s: expect.any(Number),
        bridges: [{ queue, name: queue, state: 'running', session: 'up', in_flight: 2, concurrency: 2 }],
      })
    const sum = (read: (bridge: (typeof reports)[0]['bridges'][0]) => number) =>
      reports.flatMap(({ bridges }) => bridges).reduce((all, bridge) => all + read(bridge), 0)
    expect(sum(({ messages }) => messages['executed'] ?? 0)).toBe(3)
    expect(sum(({ waiting }) => waiting)).toBe(2)
    writeFileSync(release, '')
  })

  test('whoever is not meant is silent', async ({ queue, startDaemon, commander }) => {
    const daemon = await startDaemon({ args: [...CONTROL, '--daemon-id', `D-${queue}`] })
    await daemon.waitForLine(LISTENING)
    const others = [
      commander.say('ping', { queue: `${queue}.other` }),
      commander.say('ping', { daemon: 'D-other' }),
      commander.say('ping', { queue, daemon: 'D-other' }),
    ]
    await commander.ask('ping', { queue, daemon: `D-${queue}` })
    expect(others.map((id) => commander.answerTo(id))).toEqual([undefined, undefined, undefined])
    // From the page of RabbitMQ: no type, no body.
    const byHand = commander.say('ping', Buffer.alloc(0), { contentType: 'text/plain' })
    await eventually('it is a command to all', () => commander.answerTo(byHand) !== undefined)
  })

  test('garbage is told of once a minute, and harms nobody', async ({ queue, startDaemon, commander }) => {
    const daemon = await startDaemon({ args: CONTROL })
    await daemon.waitForLine(LISTENING)
    await daemon.waitForLine('Consuming.')
    const bodies = [
      '{',
      '[]',
      'null',
      '"pause"',
      '{"queue":1}',
      '{"daemon":{}}',
      '\xff\x00',
      'x'.repeat(100_000),
    ]
    for (const body of bodies) commander.say('drain', Buffer.from(body, 'latin1'))
    for (let n = 0; n < 500; n += 1) commander.say(n % 2 === 0 ? 'no.such.verb' : '#', Buffer.from('{}'))
    commander.say('pause', {}, { type: 'fpm-bridge.self-destruct' })
    const report = await commander.ask('ping', { queue })
    expect(report.bridges).toMatchObject([{ state: 'running' }])
    const told = daemon.log.filter(({ message }) => message === 'Ignored what is no command.')
    expect(told).toMatchObject([{ level: 'warn', reason: expect.stringContaining('no JSON object') }])
  })

  test('answers go to nobody whom that would harm', async ({ broker, queue, startDaemon, commander }) => {
    await publishAll(broker, `${queue}.paused.not`, [])
    await publishAll(broker, `${queue}.answers`, [])
    const daemon = await startDaemon({ args: CONTROL })
    await daemon.waitForLine(LISTENING)
    await daemon.waitForLine('Consuming.')
    const forged = [
      queue,
      `${queue}.dead`,
      `${queue}.retry.1000`,
      `${queue}.paused`,
      `other.paused`,
      `${queue}.answers`,
      'amq.rabbitmq.reply-to.forged',
      'amq.rabbitmq.trace',
      `amq.gen-${'x'.repeat(20)}`,
      'x'.repeat(255),
      'ü'.repeat(127),
    ]
    for (const replyTo of forged) commander.say('ping', { queue }, { replyTo })
    await publishAll(
      broker,
      queue,
      forged.map(() => ({})),
      (index) => ({ type: 'fpm-bridge.ping', replyTo: forged[index] as string }),
    )
    const report = await commander.ask('ping', { queue })
    await eventually('all is acked', async () => (await readyIn(broker, queue)) === 0)
    expect(report.bridges[0]?.session).toBe('up')
    for (const name of [queue, `${queue}.dead`, `${queue}.answers`])
      expect(await readyIn(broker, name)).toBe(0)
    expect(count(daemon.log, 'Executed.')).toBe(0)
    expect(count(daemon.log, 'The session with the broker has ended; opening another.')).toBe(0)
    expect(await countsOf(broker, `${queue}.paused`)).toBeUndefined()
  })

  test('--reply-allow names queues that answers may go to', async ({
    broker,
    queue,
    startDaemon,
    commander,
  }) => {
    await publishAll(broker, `${queue}.answers`, [])
    const daemon = await startDaemon({ args: [...CONTROL, '--replies', '--reply-allow', '*.answers'] })
    await daemon.waitForLine(LISTENING)
    commander.say('ping', { queue }, { replyTo: `${queue}.answers`, correlationId: 'c-1' })
    await eventually('it is there', async () => (await readyIn(broker, `${queue}.answers`)) === 1)
    const [answer] = await takeAll(broker, `${queue}.answers`)
    expect(answer?.properties).toMatchObject({ correlationId: 'c-1', contentType: 'application/json' })
    expect(JSON.parse(answer?.content.toString() ?? '')).toMatchObject({ bridges: [{ queue }] })
  })

  test('reload without --config says so', async ({ queue, startDaemon, commander }) => {
    const daemon = await startDaemon({ args: CONTROL })
    await daemon.waitForLine('Consuming.')
    expect(await commander.ask('reload', { queue })).toMatchObject({
      error: 'there is no --config to read again',
      bridges: [{ state: 'running' }],
    })
  })

  test('a broker that goes and comes is found again', async ({ broker, queue, startDaemon, commander }) => {
    const daemon = await startDaemon({ args: [...CONTROL, '--daemon-id', `D-${queue}`] })
    await commander.ask('ping', { queue })
    await closeConnections(broker, `D-${queue}`, 2)
    await daemon.waitForLine('The session with the broker has ended')
    await eventually('it consumes', () => count(daemon.log, 'Consuming.') === 2)
    expect(await commander.ask('ping', { queue })).toMatchObject({ bridges: [{ session: 'up' }] })
    expect(count(daemon.log, LISTENING)).toBe(1)
  })
})

describe('in a virtual host of its own', () => {
  test('an exchange of another type is warned of, and work goes on', async ({
    broker,
    queue,
    startDaemon,
  }) => {
    const { url, remove } = await hostOf(broker, queue, { configure: '.*', write: '.*', read: '.*' })
    try {
      await declareExchange(url, 'fanout')
      const daemon = await startDaemon({ url, args: CONTROL })
      const line = await daemon.waitForLine('No commands come by the exchange')
      expect(line['reason']).toMatch(
        /^exchange "fpm-bridge" is none of --control: .*inequivalent arg 'type'.*delete it/s,
      )
      await publishAll({ url }, queue, numbers(2))
      await eventually('all are executed', () => count(daemon.log, 'Executed.') === 2)
      expect(daemon.log.filter(({ message }) => message.startsWith('No commands'))).toHaveLength(1)
    } finally {
      await remove()
    }
  })

  test.for([
    [
      'to declare the exchange',
      'commands|test-',
      '.*',
      '.*',
      /exchange "fpm-bridge" is missing.*to configure "fpm-bridge"/s,
    ],
    [
      'to declare a queue of its own',
      'fpm-bridge|test-',
      '.*',
      '.*',
      /declare a queue of its own.*to configure "amq\\.gen-/s,
    ],
    [
      'to read the exchange',
      '.*',
      '.*',
      'test-.*|amq.*',
      /bind its queue to the exchange.*to read "fpm-bridge", and write/s,
    ],
    [
      'to write its queue',
      '.*',
      'test-.*|amq.default',
      '.*',
      /bind its queue to the exchange.*write "amq\\.gen-/s,
    ],
  ] as const)(
    'a user without the right %s is told which',
    async ([, configure, write, read, says], { broker, queue, startDaemon }) => {
      const { url, remove } = await hostOf(broker, queue, { configure, write, read })
      try {
        const daemon = await startDaemon({ url, args: CONTROL })
        const line = await daemon.waitForLine('No commands come by the exchange')
        expect(line['reason']).toMatch(says)
        await publishAll({ url }, queue, numbers(1))
        await daemon.waitForLine('Executed.')
      } finally {
        await remove()
      }
    },
  )

  test('a user that may not declare the exchange takes the one that is there', async ({
    broker,
    queue,
    startDaemon,
  }) => {
    const { url, remove } = await hostOf(broker, queue, {
      configure: 'test-.*|amq.gen.*',
      write: '.*',
      read: '.*',
    })
    try {
      await declareExchange(`${broker.url}/${queue}`, 'topic')
      const daemon = await startDaemon({ url, args: CONTROL })
      await daemon.waitForLine(LISTENING)
    } finally {
      await remove()
    }
  })

  test('a user that may not answer obeys all the same', async ({ broker, queue, startDaemon }) => {
    const all = { configure: '.*', write: '.*', read: '.*' }
    const { url, remove } = await hostOf(broker, queue, all)
    const commander = await startCommander({ url: `${broker.url}/${queue}` })
    try {
      const daemon = await startDaemon({ url, args: CONTROL })
      await daemon.waitForLine(LISTENING)
      await daemon.waitForLine('Consuming.')
      await broker.api('PUT', `/permissions/${queue}/${queue}`, { ...all, write: '^amq\\.gen' })
      commander.say('drain', { queue })
      const line = await daemon.waitForLine('Nobody gets answers to commands')
      expect(line['reason']).toMatch(/to write "amq\\.default"/)
      await daemon.waitForLine('Told to drain')
      commander.say('resume', { queue })
      await daemon.waitForLine('Told to resume.')
      expect(commander.answers).toEqual([])
    } finally {
      await commander.hangUp()
      await remove()
    }
  })
})

describe.each(['completed', 'dispatched'])('in the work queue, --ack %s', (ack) => {
  const args = ['--control', '--ack', ack]

  test('a ping is answered without a script, beside a full bridge', async ({
    broker,
    queue,
    startDaemon,
    commander,
  }) => {
    const release = join(temporaryFolder('release'), 'now')
    const worker = workerThat(waitForFile(release))
    const daemon = await startDaemon({
      script: worker.path,
      args: [...args, '--concurrency', '1', '--prefetch', '3'],
    })
    await daemon.waitForLine('Consuming.')
    await publishAll(broker, queue, numbers(1))
    await eventually('it is executed', () => worker.executions().length === 1)
    const ping = commander.sayIn(queue, 'ping')
    const report = await eventually('it is answered', () => commander.answerTo(ping))
    expect(report).toMatchObject({
      bridges: [{ queue, in_flight: 1, messages: { executed: 0, 'dead-letter': 0, hold: 0 } }],
    })
    commander.sayIn(queue, 'ping', { replyTo: '' })
    writeFileSync(release, '')
    await eventually('all is acked', async () => (await countsOf(broker, queue))?.unacked === 0)
    expect(worker.executions()).toHaveLength(1)
    daemon.signal('SIGTERM')
    await daemon.exited
    expect(daemon.log.at(-1)).toMatchObject({ message: 'Stopped.', executed: 1, 'dead-letter': 0 })
  })

  test('shutdown is acked, and drains the process', async ({ broker, queue, startDaemon, commander }) => {
    const worker = workerThat('usleep(300000);')
    const daemon = await startDaemon({ script: worker.path, args })
    await daemon.waitForLine('Consuming.')
    await publishAll(broker, queue, numbers(2))
    await eventually('both are executed', () => worker.executions().length === 2)
    commander.sayIn(queue, 'shutdown')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    await expectCounts(broker, queue, { ready: 0, unacked: 0 })
    expect(daemon.log.at(-1)).toMatchObject({ message: 'Stopped.', executed: 2 })
    expect(await daemon.waitForLine('The record of this process.')).toMatchObject({ reason: 'control' })
  })

  test('what nobody knows is dead-lettered', async ({ broker, queue, startDaemon, commander }) => {
    const worker = workerThat('')
    const daemon = await startDaemon({ script: worker.path, args })
    await daemon.waitForLine('Consuming.')
    commander.sayIn(queue, 'self-destruct', { messageId: 'M-1' })
    const line = await daemon.waitForLine('Dead-lettered.')
    expect(line).toMatchObject({
      level: 'warn',
      reason: expect.stringContaining('type fpm-bridge.self-destruct is none'),
    })
    const [dead] = await takeAll(broker, `${queue}.dead`)
    expect(dead?.properties).toMatchObject({
      messageId: 'M-1',
      type: 'fpm-bridge.self-destruct',
      headers: {
        'x-fpm-bridge-attempt': 0,
        'x-fpm-bridge-reason': expect.stringContaining('none that --control knows'),
      },
    })
    expect(worker.executions()).toEqual([])
    await expectCounts(broker, queue, { ready: 0, unacked: 0 })
    daemon.signal('SIGTERM')
    await daemon.exited
    expect(daemon.log.at(-1)).toMatchObject({ message: 'Stopped.', executed: 0, 'dead-letter': 1 })
  })

  test('without --control they are ordinary', async ({ queue, startDaemon, commander }) => {
    const worker = workerThat('')
    const daemon = await startDaemon({ script: worker.path, args: ['--ack', ack] })
    await daemon.waitForLine('Consuming.')
    for (const verb of ['ping', 'shutdown', 'self-destruct']) commander.sayIn(queue, verb)
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 3)
    expect(worker.executions()).toHaveLength(3)
    expect(commander.answers).toEqual([])
  })
})

test('pings pass during a hold', async ({ queue, startDaemon, commander }) => {
  const daemon = await startDaemon({ socket: join(temporaryFolder('none'), 'no.sock'), args: CONTROL })
  await daemon.waitForLine('Holding: nothing can be executed.')
  const ping = commander.sayIn(queue, 'ping')
  const report = await eventually('it is answered', () => commander.answerTo(ping))
  expect(report.bridges).toMatchObject([
    { state: 'held', hold: { reason: expect.stringContaining('ENOENT') } },
  ])
  expect(report.bridges[0]?.hold?.held_ms).toBeGreaterThan(0)
})

test('each process of a fleet answers, and one that is shut down is replaced', async ({
  queue,
  startDaemon,
  commander,
}) => {
  const id = `F-${queue}`
  const fleet = await startDaemon({ args: [...CONTROL, '--instances', '2', '--daemon-id', id] })
  await eventually('both listen', () => count(fleet.log, LISTENING) === 2)
  await eventually('both consume', () => count(fleet.log, 'Consuming.') === 2)
  const pids = new Map<string, number>()
  for (const daemon of [`${id}-1`, `${id}-2`]) {
    const report = await commander.ask('ping', { daemon })
    expect(report.daemon_id).toBe(daemon)
    pids.set(daemon, report.pid)
  }
  expect(new Set([...pids.values(), fleet.pid]).size).toBe(3)
  commander.sayIn(queue, 'shutdown')
  const record = await fleet.waitForLine('The record of this process.')
  expect(record).toMatchObject({ reason: 'control' })
  await eventually('another process consumes', () => count(fleet.log, 'Consuming.') === 3)
  await eventually('it answers', async () => {
    const { pid } = await commander.ask('ping', { daemon: String(record['daemon_id']) })
    return ![...pids.values()].includes(pid)
  })
  fleet.signal('SIGTERM')
  expect(await fleet.exited).toMatchObject({ code: 0 })
})

async function hostOf(
  broker: {
    readonly url: string
    api(method: 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown>
  },
  name: string,
  permissions: { configure: string; write: string; read: string },
) {
  const all = { configure: '.*', write: '.*', read: '.*' }
  await broker.api('PUT', `/vhosts/${name}`)
  await broker.api('PUT', `/permissions/${name}/guest`, all)
  await broker.api('PUT', `/users/${name}`, { password: 's3cret', tags: '' })
  const [configure, write, read] = [permissions.configure, permissions.write, permissions.read].map(
    (pattern) => `^(${pattern})`,
  )
  await broker.api('PUT', `/permissions/${name}/${name}`, { configure, write, read })
  return {
    url: `${broker.url.replace('guest:guest', `${name}:s3cret`)}/${name}`,
    async remove() {
      await broker.api('DELETE', `/users/${name}`)
      await broker.api('DELETE', `/vhosts/${name}`)
    },
  }
}

async function declareExchange(url: string, type: string): Promise<void> {
  const connection = await connect(url)
  await (await connection.createChannel()).assertExchange('fpm-bridge', type, { durable: true })
  await connection.close()
}
