import { BrokerList } from '../../src/amqp/broker-list.ts'
import { parseBrokerUrl } from '../../src/amqp/broker-url.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { Consumer } from '../../src/amqp/consumer.ts'
import { ConfirmPublisher } from '../../src/amqp/publisher.ts'
import { plainQueue, type QueueType } from '../../src/amqp/queue.ts'
import type { Delivery } from '../../src/bridge/ports.ts'
import type { Broker } from './broker-api.ts'
import { type RecordedEvents, recordingEvents } from './recording.ts'

/** One bridge's side of the broker: what consumes a queue, and what publishes into another one. */
export interface BrokerSide {
  readonly consumer: Consumer
  readonly publisher: ConfirmPublisher
  readonly told: RecordedEvents
  /** All that were delivered, oldest first; nobody acks them. */
  readonly deliveries: readonly Delivery[]
  /** @returns `published`, or the error's code */
  publish(bytes?: number): Promise<string>
  close(): Promise<void>
}

/** Of one process: bridges that share their connections. */
export class SharedBridges {
  readonly #urls: readonly string[]
  readonly #consuming: Connections
  readonly #publishing: Connections
  readonly #open: BrokerSide[] = []

  constructor(urls: readonly string[], daemonId: string) {
    this.#urls = urls
    this.#consuming = new Connections(daemonId)
    this.#publishing = new Connections(`${daemonId} publisher`)
  }

  /** Of a queue and `<queue>.dead`. Resolves when it consumes, and can publish. */
  async start(
    queue: string,
    given: { prefetch?: number; type?: QueueType; onDelivery?: (each: Delivery) => void } = {},
  ): Promise<BrokerSide> {
    const { prefetch = 10, type = 'classic', onDelivery = () => {} } = given
    const told = recordingEvents()
    const brokers = new BrokerList(
      this.#urls.map((url) => parseBrokerUrl(url)),
      told.tell,
    )
    const target = `${queue}.dead`
    const topology = { queues: [plainQueue(queue, type), plainQueue(target, type)], declare: true }
    const deliveries: Delivery[] = []
    const consumer = new Consumer(
      {
        brokers,
        connections: this.#consuming,
        topology,
        queue,
        consumerTag: queue,
        prefetch,
        allowTransient: false,
        delay: () => 100,
      },
      (each) => {
        deliveries.push(each)
        onDelivery(each)
      },
      told.tell,
    )
    const publisher = new ConfirmPublisher({ brokers, connections: this.#publishing, topology }, told.tell)
    const side: BrokerSide = {
      consumer,
      publisher,
      told,
      deliveries,
      publish: (bytes = 2) =>
        publisher
          .publish({ queue: target, properties: {}, headers: [], body: Buffer.alloc(bytes) })
          .then(() => 'published')
          .catch((error: { code: string }) => error.code),
      async close() {
        await consumer.cancel()
        await consumer.close()
        await publisher.close()
      },
    }
    this.#open.push(side)
    await Promise.all([publisher.connect(), consumer.start()])
    return side
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((each) => each.close()))
  }
}

interface Listed {
  readonly channels?: number
  readonly client_properties: { readonly connection_name?: string }
}

/** The names of the connections whose names begin so, sorted. What the broker lists is up to 2 s old. */
export async function connectionsOf(broker: Pick<Broker, 'api'>, daemonId: string): Promise<string[]> {
  const all = await broker.api<Listed[]>('GET', '/connections')
  return all
    .map(({ client_properties: { connection_name: name = '' } }) => name)
    .filter((name) => name.startsWith(daemonId))
    .toSorted()
}
