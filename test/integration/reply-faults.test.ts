import { afterAll, beforeAll, expect } from 'vitest'
import { type OwnBroker, startBroker } from '../support/broker.ts'
import { startCaller } from '../support/caller.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'
import { countsOf, expectCounts } from '../support/queue-counts.ts'
import { startTappedLink, type TappedLink } from '../support/tapped-link.ts'
import { workerThat } from '../support/worker-script.ts'

/* --replies, and a broker that does not take them, or is killed when it has. */

let broker: OwnBroker
beforeAll(async () => {
  broker = await startBroker()
})
afterAll(() => broker?.close())

const NO_REPLY = 'Nobody gets a reply; the message goes on.'
const ENDED = 'The session with the broker has ended; opening another.'
const COMPLETED = ['--replies', '--ack', 'completed']

test('a reply beyond max_message_size is told of; those beside it arrive, and dead letters', async ({
  queue,
  startDaemon,
}) => {
  await broker.set('max_message_size', 100_000)
  const answers = `${queue}-answers`
  await publishAll(broker, answers, [])
  const caller = await startCaller(broker)
  try {
    const worker = workerThat(`
      if (isset($_POST['refuse'])) http_response_code(422);
      echo str_repeat('x', (int) $_POST['size']);`)
    const daemon = await startDaemon({
      url: broker.url,
      script: worker.path,
      args: [...COMPLETED, '--reply-allow', '*'],
    })
    await daemon.waitForLine('Consuming.')
    const isLarge = (index: number) => index % 10 === 3
    const bodies = Array.from({ length: 40 }, (_, index) => ({
      size: isLarge(index) ? 200_000 : 10,
      ...(index % 10 === 4 && { refuse: 1 }),
    }))
    for (const body of bodies) await caller.ask(queue, body)
    await publishAll(broker, queue, bodies, (index) => ({ replyTo: answers, correlationId: String(index) }))
    await eventually('all are over', () => {
      expect(count(daemon.log, 'Executed.')).toBe(72)
      expect(count(daemon.log, 'Dead-lettered.')).toBe(8)
      return true
    })
    const small = bodies.flatMap((_, index) => (isLarge(index) ? [] : [String(index)]))
    const got = (await takeAll(broker, answers)).map(({ properties }) => String(properties.correlationId))
    // One that had arrived when the broker refused another is published again.
    expect([...new Set(got)].sort()).toEqual(small.sort())
    await eventually('callers have the others', () => caller.answers.length >= 36)
    await eventually('each is told of', () => count(daemon.log, NO_REPLY) === 8)
    for (const line of daemon.log.filter(({ message }) => message === NO_REPLY))
      expect(line).toMatchObject({ why: 'refused', reason: expect.stringContaining('larger than') })
    expect(count(daemon.log, ENDED)).toBe(0)
    await expectCounts(broker, `${queue}.dead`, { ready: 8, unacked: 0 })
  } finally {
    await caller.hangUp()
    await broker.set('max_message_size', 134_217_728)
  }
})

test('a user who may not publish any more has messages executed all the same', async ({
  queue,
  startDaemon,
}) => {
  const permit = (write: string) =>
    broker.api('PUT', '/permissions/%2F/replier', { configure: '.*', write, read: '.*' })
  await broker.api('PUT', '/users/replier', { password: 'secret', tags: '' })
  await permit('.*')
  const worker = workerThat('')
  const url = `amqp://replier:secret@127.0.0.1:${broker.port}`
  const daemon = await startDaemon({ url, script: worker.path, args: COMPLETED })
  await daemon.waitForLine('Consuming.')
  await permit('^$')
  const caller = await startCaller(broker)
  try {
    for (let one = 0; one < 5; one += 1) await caller.ask(queue, {})
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 5)
    await eventually('each is told of', () => count(daemon.log, NO_REPLY) === 5)
    const { why, reason } = await daemon.waitForLine(NO_REPLY)
    expect(why).toBe('forbidden')
    expect(reason).toMatch(/ACCESS_REFUSED.*set_permissions/s)
    expect(caller.answers).toEqual([])
  } finally {
    await caller.hangUp()
  }
})

test('a broker that is killed between reply and ack gets a second reply', async ({ queue, startDaemon }) => {
  const [port] = (await freePorts(1)) as [number]
  let reached = (): void => {}
  const acking = new Promise<void>((resolve) => {
    reached = resolve
  })
  let killed = false
  const link: TappedLink = await startTappedLink(port, broker.port, ({ unit, from }) => {
    if (killed || from !== 'client' || unit.name !== 'ack') return undefined
    reached()
    return new Promise(() => {})
  })
  try {
    const answers = `${queue}-answers`
    await publishAll(broker, answers, [])
    await publishAll(broker, queue, [{}], { messageId: 'M-1', replyTo: answers, correlationId: 'C-1' })
    const worker = workerThat('echo $attempt;')
    const daemon = await startDaemon({
      url: `amqp://guest:guest@127.0.0.1:${port}`,
      script: worker.path,
      args: [...COMPLETED, '--reply-allow', answers],
    })
    await acking
    await expectCounts(broker, answers, { ready: 1, unacked: 0 })
    await broker.flush()
    killed = true
    await broker.kill()
    link.reset()
    await broker.start()
    await eventually('it is executed again', () => count(daemon.log, 'Executed.') === 2)
    expect(worker.executions()).toEqual(['M-1 1 0', 'M-1 1 1'])
    const got = await takeAll(broker, answers)
    expect(got.map(({ properties }) => properties.correlationId)).toEqual(['C-1', 'C-1'])
    await eventually('it is acked', async () => (await countsOf(broker, queue))?.unacked === 0)
  } finally {
    link.close()
  }
})
