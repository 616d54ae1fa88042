import { expect } from 'vitest'
import type { BridgeProcess } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll, takeAll } from '../support/messages.ts'

/*
 * Messages whose copies cannot be published: they take nobody's place, run once, and are settled when the obstacle goes.
 */

const said = (daemon: BridgeProcess, message: string): number =>
  daemon.log.filter((line) => line.message.startsWith(message)).length

test.for([
  { ack: 'dispatched', type: 'classic' },
  { ack: 'completed', type: 'classic' },
  { ack: 'completed', type: 'quorum' },
] as const)(
  '$ack, $type: 4 dead letters that find no room, 4 slots, 100 good messages: the good ones run, and nothing is lost',
  async ({ ack, type }, { broker, queue, startDaemon }) => {
    const none = { 'x-max-length': 0, 'x-overflow': 'reject-publish' }
    await broker.api('PUT', `/queues/%2F/${queue}.dead`, { durable: true, arguments: none })
    const bad = ['no JSON 1', 'no JSON 2', 'no JSON 3', 'no JSON 4']
    await publishAll(broker, queue, bad, (index) => ({ messageId: `bad-${index + 1}` }), type)
    await publishAll(broker, queue, numbers(100), {}, type)
    const daemon = await startDaemon({ args: ['--ack', ack, '--prefetch', '4', '--queue-type', type] })
    await eventually('the good ones have run', () => said(daemon, 'Executed.') === 100, { within: 30_000 })
    await eventually('the bad ones are parked', () => said(daemon, 'Parked') === 4)
    expect(daemon.log.find(({ message }) => message.startsWith('Parked'))).toMatchObject({
      level: 'warn',
      message_id: expect.stringMatching(/^bad-[1-4]$/),
      copy_to: `${queue}.dead`,
      cause: expect.stringContaining('it is full'),
    })

    await broker.api('DELETE', `/queues/%2F/${queue}.dead`)
    await eventually('they are settled', () => said(daemon, 'A parked message is settled') === 4, {
      within: 60_000,
    })
    const dead = (await takeAll(broker, `${queue}.dead`)).map(({ properties }) => properties.messageId)
    expect(dead.sort()).toEqual(['bad-1', 'bad-2', 'bad-3', 'bad-4'])
    await eventually('nothing is left', async () => {
      const counts = (await broker.queues()).find(({ name }) => name === queue)
      expect(counts).toMatchObject({ ready: 0, unacked: 0, consumers: 1 })
      return true
    })
    daemon.signal('SIGTERM')
    expect(await daemon.exited).toMatchObject({ code: 0 })
  },
)

test('a drain hands back what is parked, at once', async ({ broker, queue, startDaemon }) => {
  const none = { 'x-max-length': 0, 'x-overflow': 'reject-publish' }
  await broker.api('PUT', `/queues/%2F/${queue}.dead`, { durable: true, arguments: none })
  await publishAll(broker, queue, ['no JSON'])
  const daemon = await startDaemon()
  await daemon.waitForLine(({ message }) => String(message).startsWith('Parked'))
  daemon.signal('SIGTERM')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect((await takeAll(broker, queue)).map(({ content }) => content.toString())).toEqual(['no JSON'])
})
