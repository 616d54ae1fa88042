import { onTestFinished } from 'vitest'
import type { Consumer } from '../../src/amqp/consumer.ts'
import { listenAmqp, type ScriptedBroker } from '../support/scripted-broker.ts'

interface Closable {
  close(): unknown
}

/** Closes it after the test: what has come last first. */
export function closedAfterTest<T extends Closable>(each: T): T {
  onTestFinished(async () => {
    await each.close()
  })
  return each
}

/** A scripted broker, for one test. */
export async function brokerThat(...given: Parameters<typeof listenAmqp>): Promise<ScriptedBroker> {
  return closedAfterTest(await listenAmqp(...given))
}

/** Has a consumer leave its queue after the test, and then its broker. */
export function leavesAfterTest(consumer: Consumer): Consumer {
  closedAfterTest({
    async close() {
      await consumer.cancel()
      await consumer.close()
    },
  })
  return consumer
}
