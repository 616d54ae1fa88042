import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'amqplib'
import { publishAll } from '../support/messages.ts'
import { startPool } from '../support/pool.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import type { Site } from './figure.ts'

/** Messages that are published at once, to keep the memory of the measurement small. */
const BATCH = 10_000

/** A queue of daemons at full load: more messages than they execute, and a script that does nothing. */
export interface FullLoad {
  /** Of `run`: broker, queue, pool and script. */
  readonly args: readonly string[]
  /** How many of the messages the daemons have taken so far. */
  readonly taken: () => Promise<number>
  readonly consumers: () => Promise<number>
}

/**
 * @param children of the pool
 * @param messages in the queue at first; where they do not last, `taken` throws
 */
export async function fullLoad(
  { broker, releases }: Site,
  queue: string,
  { children, messages }: { readonly children: number; readonly messages: number },
): Promise<FullLoad> {
  const pool = await startPool({ children, opcache: true })
  releases.push(() => pool.close())
  const script = join(temporaryFolder('worker'), 'worker.php')
  writeFileSync(script, '<?php')
  const batch = Array.from({ length: BATCH }, (_, index) => ({ number: index }))
  for (let n = 0; n < messages; n += BATCH) await publishAll(broker, queue, batch)
  const connection = await connect(broker.url)
  releases.push(() => connection.close())
  const channel = await connection.createChannel()
  return {
    args: ['--url', broker.url, '--queue', queue, '--socket', pool.socket, '--script', script],
    taken: async () => {
      const { messageCount } = await channel.checkQueue(queue)
      if (messageCount === 0) throw new Error(`${messages} messages are too few`)
      return messages - messageCount
    },
    consumers: async () => (await channel.checkQueue(queue)).consumerCount,
  }
}
