import { expect, it } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { ConfirmPublisher } from '../../src/amqp/publisher.ts'
import { plainQueue } from '../../src/amqp/queue.ts'
import { long, method, short, shortString } from '../support/amqp-frames.ts'
import { eventually } from '../support/eventually.ts'
import { tellNobody } from '../support/recording.ts'
import { confirm, connectionClose, type ScriptedBroker } from '../support/scripted-broker.ts'
import { brokerThat, closedAfterTest } from './after-test.ts'

/*
 * What a broker says of messages that it does not take, and to whom it says it.
 */

const channelClose = (channel: number, code: number, text: string): Buffer =>
  method(channel, [20, 40], short(code), shortString(text), short(60), short(40))

type Publish = (channel: number, broker: ScriptedBroker, args: Buffer) => Buffer | undefined

async function publisherTo(answer: Publish) {
  const broker = await brokerThat({ 'basic.publish': answer })
  const topology = { queues: [plainQueue('q', 'classic')], declare: true }
  const brokers = new BrokerList([broker.url], tellNobody)
  const publisher = new ConfirmPublisher(
    { brokers, connections: new Connections('test'), topology },
    tellNobody,
  )
  closedAfterTest(publisher)
  await publisher.connect()
  const publish = (alone = false) =>
    publisher
      .publish({ queue: 'q', properties: {}, headers: [], body: Buffer.from('{}') }, alone)
      .then(() => 'published')
      .catch((error: { code: string; message: string }) => error.code)
  return { broker, publish, publisher }
}

it.each<[string, Publish, string]>([
  [
    'too large a body',
    (channel) => channelClose(channel, 406, 'message size 2 is larger than max size 1'),
    'BODY_TOO_LARGE',
  ],
  ['another fault of the message', (channel) => channelClose(channel, 406, 'x'), 'MESSAGE_REFUSED'],
  ['a frame that it cannot read', () => connectionClose(502, 'SYNTAX_ERROR'), 'MESSAGE_REFUSED'],
  ['a right that is missing', (channel) => channelClose(channel, 403, 'ACCESS_REFUSED'), 'CUT_OFF'],
  ['an operator who closes connections', () => connectionClose(320, 'CONNECTION_FORCED'), 'CUT_OFF'],
])('%s', async (_, answer, code) => {
  const { publish } = await publisherTo(answer)
  expect(await publish()).toBe(code)
})

it('of several that were on their way each may be at fault; alone there is no doubt, and nobody else suffers', async () => {
  let published = 0
  const { broker, publish } = await publisherTo((channel) => {
    published += 1
    return published === 2 ? channelClose(channel, 406, 'x') : undefined
  })
  expect(await Promise.all([publish(), publish()])).toEqual(['SUSPECTED', 'SUSPECTED'])
  published = 0
  const waiting = publish()
  await eventually('it is on its way', () => published > 0)
  expect(await publish(true)).toBe('MESSAGE_REFUSED')
  // Still on its way, on a connection that nobody has closed.
  for (const socket of broker.sockets) socket.write(confirm(1, 1))
  expect(await waiting).toBe('published')
})

it('a connection that may have one channel only is refused by name', async () => {
  const tune = method(0, [10, 30], short(1), long(131_072), short(0))
  const broker = await brokerThat({ 'connection.start-ok': () => tune })
  const topology = { queues: [plainQueue('q', 'classic')], declare: true }
  const publisher = new ConfirmPublisher(
    { brokers: new BrokerList([broker.url], tellNobody), connections: new Connections('test'), topology },
    tellNobody,
  )
  closedAfterTest(publisher)
  await expect(publisher.prepare()).rejects.toMatchObject({ code: 'CHANNEL_LIMIT', permanent: true })
})
