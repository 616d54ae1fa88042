import { describe, expect } from 'vitest'
import { type Caller, startCaller } from '../support/caller.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test as base } from '../support/fixtures.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { expectCounts } from '../support/queue-counts.ts'
import { workerThat } from '../support/worker-script.ts'

/* --replies: callers get what workers have answered, and whoever cannot get it holds up nobody. */

const NO_REPLY = 'Nobody gets a reply; the message goes on.'
const DIRECT = 'amq.rabbitmq.reply-to'

const test = base.extend<{ requester: Caller }>({
  requester: async ({ broker }, use) => {
    const requester = await startCaller(broker)
    await use(requester)
    await requester.hangUp()
  },
})

/** Answers with what the message asks for. */
const answering = () =>
  workerThat(`
    http_response_code((int) ($_POST['status'] ?? 200));
    header('Content-Type: text/x-answer');
    if (isset($_POST['fail']) && $attempt <= (int) $_POST['fail']) http_response_code(503);
    echo str_repeat($_POST['say'] ?? 'done', (int) ($_POST['times'] ?? 1));
  `)

const RETRIES = ['--max-attempts', '2', '--retry-delay', '10ms', '--retry-max-delay', '10ms']

describe.each(['dispatched', 'completed'])('--ack %s', (ack) => {
  const args = ['--replies', '--ack', ack, ...(ack === 'completed' ? RETRIES : [])]

  test('callers without a queue get answers, each the one to its own message', async ({
    broker,
    queue,
    startDaemon,
    requester,
  }) => {
    const other = await startCaller(broker)
    try {
      const daemon = await startDaemon({ script: answering().path, args })
      await daemon.waitForLine('Consuming.')
      const all = Array.from({ length: 50 }, (_, index) => String(index))
      for (const id of all) {
        await (Number(id) % 2 === 0 ? requester : other).ask(queue, { say: id }, { correlationId: id })
      }
      await eventually(
        'all are answered',
        () => requester.answers.length + other.answers.length === all.length,
      )
      expect([requester.answers.length, other.answers.length]).toEqual([25, 25])
      for (const { properties, content } of [...requester.answers, ...other.answers]) {
        expect(content.toString()).toBe(properties.correlationId)
        expect(properties).toMatchObject({
          contentType: 'text/x-answer;charset=UTF-8',
          headers: { status: 200, outcome: 'executed' },
        })
      }
      expect(count(daemon.log, NO_REPLY)).toBe(0)
    } finally {
      await other.hangUp()
    }
  })

  test('a failure is answered when it is final, with the status and why', async ({
    queue,
    startDaemon,
    requester,
  }) => {
    const daemon = await startDaemon({ script: answering().path, args })
    await daemon.waitForLine('Consuming.')
    await requester.ask(queue, { status: 404, say: 'no such thing' }, { correlationId: 'refused' })
    await requester.ask(queue, 'no object', { correlationId: 'unprocessable' })
    await requester.ask(queue, { fail: 9, say: 'busy' }, { correlationId: 'busy' })
    await eventually('all are answered', () => requester.answers.length === 3)
    const answerTo = (id: string) => {
      const found = requester.answers.find(({ properties }) => properties.correlationId === id)
      return { headers: found?.properties.headers, body: found?.content.toString() }
    }
    const failed = ack === 'completed' ? 'dead-letter' : 'refused'
    expect(answerTo('refused')).toEqual({
      headers: { status: 404, outcome: failed, reason: 'the worker answered with status 404' },
      body: 'no such thing',
    })
    expect(answerTo('unprocessable')).toEqual({
      headers: { outcome: 'dead-letter', reason: expect.stringContaining('JSON scalar') },
      body: '',
    })
    const reason = `${ack === 'completed' ? 'attempt 2 of 2: ' : ''}the worker answered with status 503`
    expect(answerTo('busy')).toEqual({ headers: { status: 503, outcome: failed, reason }, body: 'busy' })
  })

  test('a queue gets answers, persistent; a message without reply_to gets none', async ({
    broker,
    queue,
    startDaemon,
  }) => {
    const answers = `${queue}-answers`
    await publishAll(broker, answers, [])
    await publishAll(broker, queue, [{ say: 'one' }, { say: 'two' }], (index) =>
      index === 0 ? { replyTo: answers, correlationId: 'C-1' } : {},
    )
    const daemon = await startDaemon({
      script: answering().path,
      args: [...args, '--reply-allow', `${queue}-*`, '--log-level', 'debug'],
    })
    await eventually('both are executed', () => count(daemon.log, 'Executed.') === 2)
    expect(await takeAll(broker, answers)).toMatchObject([
      { content: Buffer.from('one'), properties: { correlationId: 'C-1', deliveryMode: 2 } },
    ])
    const line = await daemon.waitForLine('Replied.')
    expect(line).toMatchObject({ correlation_id: 'C-1', reply_to: answers, bytes: 3, level: 'debug' })
  })

  test('10 MB are answered with, where --max-response allows; else the beginning', async ({
    queue,
    startDaemon,
    requester,
  }) => {
    const size = 10 * 1024 * 1024
    const message = { say: '0123456789abcdef', times: size / 16 }
    for (const [maxResponse, expected] of [
      ['11MiB', size],
      ['1MiB', 1024 * 1024],
    ] as const) {
      const limit = ['--max-response', maxResponse]
      const daemon = await startDaemon({ script: answering().path, args: [...args, ...limit] })
      await daemon.waitForLine('Consuming.')
      const before = requester.answers.length
      for (let one = 0; one < 4; one += 1) await requester.ask(queue, message)
      await eventually('all are answered', () => requester.answers.length === before + 4)
      for (const { content, properties } of requester.answers.slice(before)) {
        expect(properties.headers).toMatchObject({ status: 200 })
        if (expected === size) expect(content.length).toBe(size)
        // The headers of the answer count, too.
        else expect(content.length).toBeLessThanOrEqual(expected)
        expect(properties.headers?.['truncated']).toBe(expected === size ? undefined : true)
      }
      daemon.signal('SIGTERM')
      expect(await daemon.exited).toMatchObject({ code: 0 })
    }
  })

  test('queues that are full or gone, callers that are, and forged names cost a line, and hold up nothing', async ({
    broker,
    queue,
    startDaemon,
    requester,
  }) => {
    const full = `${queue}-full`
    await broker.api('PUT', `/queues/%2F/${full}`, {
      durable: true,
      arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' },
    })
    await requester.ask(full, 'it is full', { replyTo: '' })
    const cases: readonly (readonly [replyTo: string, why: string])[] = [
      [full, 'not-taken'],
      [`${queue}-gone`, 'unroutable'],
      [`${queue}-${'x'.repeat(254 - queue.length)}`, 'unroutable'],
      [queue, 'not-allowed'],
      [`${queue}.dead`, 'not-allowed'],
      [`${queue}.retry.1000`, 'not-allowed'],
      ['amq.rabbitmq.trace', 'not-allowed'],
      ['amq.gen-forged', 'not-allowed'],
      ['somebody-else', 'not-allowed'],
    ]
    // Of what looks like a caller, nobody knows whether there is one.
    const forged = ['', 'garbage', 'g2dkABFyYWJiaXQ=', `%${'\u00fc'.repeat(110)}`].map(
      (rest) => `${DIRECT}.${rest}`,
    )
    const daemon = await startDaemon({
      script: answering().path,
      args: [...args, '--reply-allow', `${queue}*`, '--reply-allow', `${DIRECT}.*`],
    })
    await daemon.waitForLine('Consuming.')
    const gone = await startCaller(broker)
    await gone.ask(queue, { say: 'to nobody' }, { messageId: 'gone' })
    await gone.hangUp()
    const targets = [...cases.map(([replyTo]) => replyTo), ...forged]
    await publishAll(
      broker,
      queue,
      targets.map(() => ({})),
      (index) => ({ messageId: `M-${index}`, ...(targets[index] && { replyTo: targets[index] }) }),
    )
    await requester.ask(queue, { say: 'to me' })
    const executed = targets.length + 2
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === executed)
    await eventually('who waits is answered', () => requester.answers.length === 1)
    const lines = daemon.log.filter(({ message }) => message === NO_REPLY)
    expect(lines.map(({ reply_to: replyTo, why }) => [replyTo, why]).sort()).toEqual([...cases].sort())
    for (const line of lines) expect(line).toMatchObject({ level: 'warn', reason: expect.any(String) })
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
    await expectCounts(broker, queue, { ready: 0, unacked: 0 })
    await expectCounts(broker, `${queue}.dead`, { ready: 0, unacked: 0 })
  })
})

test('without --replies nobody is answered', async ({ queue, startDaemon, requester }) => {
  const daemon = await startDaemon({ script: answering().path })
  await daemon.waitForLine('Consuming.')
  await requester.ask(queue, {})
  await daemon.waitForLine('Executed.')
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(requester.answers).toEqual([])
})

test('what succeeds at its second attempt is answered once', async ({ queue, startDaemon, requester }) => {
  const args = ['--replies', '--ack', 'completed', ...RETRIES]
  const daemon = await startDaemon({ script: answering().path, args })
  await daemon.waitForLine('Consuming.')
  await requester.ask(queue, { fail: 1, say: 'at last' })
  await daemon.waitForLine('Executed.')
  await eventually('it is answered', () => requester.answers.length > 0)
  expect(requester.answers.map(({ content }) => content.toString())).toEqual(['at last'])
})
