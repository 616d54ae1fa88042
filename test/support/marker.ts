import { connect } from 'amqplib'
import { PAUSE_SUFFIX, type PauseNote } from '../../src/control/protocol.ts'
import type { Broker } from './broker-api.ts'

/** Puts the marker beside a queue, as an operator can by hand. */
export async function putMarker(
  broker: Pick<Broker, 'url'>,
  queue: string,
  note?: PauseNote | string,
): Promise<void> {
  const connection = await connect(broker.url)
  try {
    const channel = await connection.createConfirmChannel()
    await channel.assertQueue(queue + PAUSE_SUFFIX, { durable: true })
    if (note === undefined) return
    const body = typeof note === 'string' ? note : JSON.stringify(note)
    channel.sendToQueue(queue + PAUSE_SUFFIX, Buffer.from(body), { persistent: true })
    await channel.waitForConfirms()
  } finally {
    await connection.close()
  }
}

export async function removeMarker(broker: Pick<Broker, 'api'>, queue: string): Promise<void> {
  await broker.api('DELETE', `/queues/%2F/${encodeURIComponent(queue + PAUSE_SUFFIX)}`)
}
