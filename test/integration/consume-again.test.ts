import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { parseBrokerUrl } from '../../src/amqp/broker-url.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { Consumer } from '../../src/amqp/consumer.ts'
import { plainQueue, type QueueType } from '../../src/amqp/queue.ts'
import type { Delivery } from '../../src/bridge/ports.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { countsOf } from '../support/queue-counts.ts'
import { recordingEvents } from '../support/recording.ts'

const bodiesOf = (deliveries: readonly Delivery[]) => deliveries.map(({ body }) => body.toString())

for (const type of ['classic', 'quorum'] as const satisfies readonly QueueType[]) {
  test(`a ${type} queue can be paused and consumed again while a message of it executes`, async ({
    broker,
    queue,
  }) => {
    const told = recordingEvents()
    const deliveries: Delivery[] = []
    const options = {
      brokers: new BrokerList([parseBrokerUrl(broker.url)], told.tell),
      connections: new Connections('test'),
      topology: { queues: [plainQueue(queue, type)], declare: true },
      queue,
      consumerTag: 'D-again',
      prefetch: 2,
      allowTransient: false,
      delay: () => 100,
    }
    const consumer = new Consumer(options, (delivery) => deliveries.push(delivery), told.tell)
    await consumer.start()
    try {
      await publishAll(broker, queue, [{ long: true }, { short: 1 }], {}, type)
      await eventually('both are here', () => deliveries.length === 2)
      deliveries[1]?.ack()
      await consumer.pause()
      consumer.resume()
      await publishAll(broker, queue, [{ short: 2 }, { short: 3 }], {}, type)
      await eventually('the next two are here', () => deliveries.length >= 4)
      for (const delivery of deliveries.slice(2)) delivery.ack()
      // What the broker takes for lost it asks for at once.
      await sleep(500)
      deliveries[0]?.ack()
      await eventually('all are acked', async () => {
        const counts = await countsOf(broker, queue)
        return counts?.ready === 0 && counts.unacked === 0
      })
      const bodies = ['{"long":true}', '{"short":1}', '{"short":2}', '{"short":3}']
      expect(bodiesOf(deliveries)).toEqual(bodies)
      expect(told.of('consuming')).toHaveLength(1)
    } finally {
      await consumer.cancel()
      await consumer.close()
    }
  })
}
