import { setMaxListeners } from 'node:events'
import fc from 'fast-check'
import { BrokerList } from '../../src/amqp/broker-list.ts'
import { parseBrokerUrl } from '../../src/amqp/broker-url.ts'
import { Connections } from '../../src/amqp/connections.ts'
import { encodeFields, splitFields } from '../../src/amqp/header-fields.ts'
import { ConfirmPublisher } from '../../src/amqp/publisher.ts'
import { plainQueue, type Queue, type QueueType } from '../../src/amqp/queue.ts'
import type { Session } from '../../src/amqp/session.ts'
import type { Tell } from '../../src/bridge/events.ts'
import { Execution } from '../../src/bridge/execution.ts'
import type { OutcomeCopy } from '../../src/bridge/facts.ts'
import type { BridgePolicy, Delivery } from '../../src/bridge/ports.ts'
import { Republisher } from '../../src/bridge/republisher.ts'
import type { Broker } from './broker-api.ts'
import { eventually } from './eventually.ts'
import { headerTables } from './header-tables.ts'
import { openSession, sessionOptions } from './sessions.ts'

/** Messages on their way at once. */
const BATCH = 250

export interface HeaderFuzz {
  readonly tables: number
  /** Of the broker's connections and sessions, those that ended on the way. */
  readonly lost: number
  /** The first table of which a copy is not what came, as hexadecimal digits. */
  readonly difference: { readonly copy: string; readonly came: string; readonly copied: string } | undefined
}

/**
 * Sends header tables of every type through both copies, by a real broker, and compares their bytes with what came. RabbitMQ 4
 * sorts the fields of what is published, and quorum queues of 3.10 make an unsigned 64-bit integer a signed one; so what counts is
 * what the broker has delivered, of queues of one type.
 *
 * @param queue that exists for nobody else
 */
export async function fuzzHeaders(
  broker: Pick<Broker, 'url'>,
  queue: string,
  tables: number,
  seed: number,
  type: QueueType,
): Promise<HeaderFuzz> {
  let lost = 0
  const note = (): void => {
    lost += 1
  }
  // None of what can be told of a publisher is to happen.
  const tell: Tell = note
  const queues = {
    work: plainQueue(queue, type),
    // One to which nothing comes back while it is read.
    retry: plainQueue(`${queue}.retry`, type),
    'dead-letter': plainQueue(`${queue}.dead`, type),
  }
  const topology = { queues: Object.values(queues), declare: true }
  const brokers = new BrokerList([parseBrokerUrl(broker.url)], tell)
  const publisher = new ConfirmPublisher({ brokers, connections: new Connections('fuzz'), topology }, tell)
  const settings = {
    queue,
    deadLetterQueue: queues['dead-letter'].name,
    script: '/s',
    daemonId: 'D-1',
    maxAttempts: 9,
  }
  const config = settings as BridgePolicy
  const { signal } = new AbortController()
  setMaxListeners(0, signal)
  const intake = { async pause() {}, resume() {}, widen() {} }
  const republisher = new Republisher(
    config,
    publisher,
    intake,
    signal,
    () => {},
    () => {},
  )
  const inboxes = new Map<string, Map<string, Delivery>>()
  const sessions: Session[] = []
  const consume = async ({ name }: Queue): Promise<void> => {
    const inbox = new Map<string, Delivery>()
    inboxes.set(name, inbox)
    const session = await openSession(
      parseBrokerUrl(broker.url),
      (each) => void inbox.set(String(each.properties.messageId), each),
      sessionOptions(name, { topology, consumerTag: name, prefetch: BATCH }),
    )
    void session.ended.then(note)
    sessions.push(session)
  }
  const take = async ({ name }: Queue, id: string): Promise<Delivery> => {
    const inbox = inboxes.get(name) as Map<string, Delivery>
    const delivery = await eventually(`${id} is delivered`, () => inbox.get(id), { every: 2 })
    inbox.delete(id)
    return delivery
  }
  const check = async (table: Buffer, id: string): Promise<HeaderFuzz['difference']> => {
    await publisher.publish({
      queue,
      properties: { messageId: id },
      headers: splitFields(table),
      body: Buffer.from('{}'),
    })
    const delivery = await take(queues.work, id)
    const came = bytesOf(delivery)
    const execution = new Execution(delivery, config)
    const reason = 'a reason'
    const retry = { kind: 'retry', retryAfterMs: 0, reason } as const
    const deadLetter = { kind: 'dead-letter', cause: 'unprocessable', reason } as const
    const both: readonly OutcomeCopy[] = [
      { purpose: 'retry', execution, outcome: retry, delayMs: 0 },
      { purpose: 'dead-letter', execution, outcome: deadLetter, deadLetterQueue: queues['dead-letter'].name },
    ]
    for (const made of both) {
      const { purpose } = made
      const queue = queues[purpose].name
      await republisher.publish({ execution, made, queue, spare: [], notes: { reason, attempt: 1 } })
      const copied = await take(queues[purpose], id)
      copied.ack()
      if (bytesOf(copied) !== came) return { copy: purpose, came, copied: bytesOf(copied) }
    }
    delivery.ack()
    return undefined
  }
  try {
    await publisher.connect()
    for (const each of topology.queues) await consume(each)
    for (let done = 0; done < tables; done += BATCH) {
      const numRuns = Math.min(BATCH, tables - done)
      const batch = fc.sample(headerTables, { numRuns, seed: seed + done })
      const found = await Promise.all(batch.map((table, index) => check(table, `${done + index}`)))
      const difference = found.find((each) => each !== undefined)
      if (difference !== undefined || lost > 0) return { tables: done + numRuns, lost, difference }
    }
    return { tables, lost, difference: undefined }
  } finally {
    for (const session of sessions) await session.close()
    await publisher.close()
  }
}

/** The fields that the message came with, ours left out. */
function bytesOf(delivery: Delivery): string {
  const fields = delivery.headerFields().filter(([name]) => !name.startsWith('x-fpm-bridge-'))
  return encodeFields(fields).toString('hex')
}
