import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type GetMessage, type Options } from 'amqplib'
import { spawnBridge } from './bridge-process.ts'
import type { Broker } from './broker-api.ts'

/** What a bridge would have said of a message of that queue. */
export function lettersOf(queue: string, index: number): Options.Publish {
  return {
    messageId: `m${index}`,
    headers: {
      'x-fpm-bridge-queue': queue,
      'x-fpm-bridge-dead-lettered': true,
      'x-fpm-bridge-attempt': 5,
      'x-fpm-bridge-reason': index % 3 === 0 ? 'no answer within 25000 ms' : 'status 500',
      'x-fpm-bridge-stderr': 'PHP Fatal error:  Uncaught App\\Broken: no database',
      'x-fpm-bridge-script': '/srv/app/worker.php',
      'x-fpm-bridge-time': new Date(Date.now() - index * 1_000).toISOString(),
    },
  }
}

/** Puts so many into `<queue>.dead`, and declares `queue`; slowly enough that a million would fit into memory. */
export async function fillWithLetters(
  broker: Pick<Broker, 'url'>,
  queue: string,
  count: number,
  body = Buffer.from('{"number":7}'),
): Promise<void> {
  const connection = await connect(broker.url)
  try {
    const channel = await connection.createConfirmChannel()
    for (const name of [queue, `${queue}.dead`]) await channel.assertQueue(name, { durable: true })
    for (let index = 0; index < count; index += 1) {
      channel.sendToQueue(`${queue}.dead`, body, { persistent: true, ...lettersOf(queue, index) })
      if (index % 1_000 === 999) await channel.waitForConfirms()
    }
    await channel.waitForConfirms()
  } finally {
    await connection.close()
  }
}

/** In a quorum queue, with the returns used up: whatever is given back once more is dropped. */
export async function wornLetters(
  broker: Pick<Broker, 'url'>,
  queue: string,
  bodies: readonly string[],
  properties: Options.Publish,
): Promise<void> {
  const connection = await connect(broker.url)
  const channel = await connection.createConfirmChannel()
  const options = { 'x-queue-type': 'quorum', 'x-delivery-limit': 2 }
  await channel.assertQueue(queue, { durable: true, arguments: options })
  for (const body of bodies) channel.sendToQueue(queue, Buffer.from(body), properties)
  await channel.waitForConfirms()
  for (let times = 0; times < 2; times += 1) {
    const taken: GetMessage[] = []
    while (taken.length < bodies.length) {
      const message = await channel.get(queue)
      if (message !== false) taken.push(message)
    }
    for (const message of taken) channel.nack(message)
  }
  await channel.close()
  await connection.close()
}

/** What has become of each letter. */
export interface Replayed {
  /** In neither queue. */
  readonly lost: number
  /** In their queue more than once. */
  readonly doubled: number
  /** Of those, the copies beyond the times that the output has named the letter. */
  readonly unnamed: number
  /** How many replays were under way when they were killed, and how many letters they had named. */
  readonly killed: number
  readonly named: number
}

/**
 * Replays all letters of `<queue>.dead`; kills that so many times on the way, and starts it again. Each has put some of what was left into
 * the queue by then, chance says how many.
 *
 * @param count of the letters, m0 and so on
 */
export async function replayKilled(
  broker: Broker,
  queue: string,
  count: number,
  kills: number,
): Promise<Replayed> {
  const named = new Map<string, number>()
  const replay = () => spawnBridge(['dead-letters', 'replay', '--all', '--url', broker.url, '--queue', queue])
  let killed = 0
  for (let n = 0; n < kills; n += 1) {
    const [before, left] = [await countOf(broker, queue), await countOf(broker, `${queue}.dead`)]
    // One share is for the last, which ends by itself.
    const enough = before + 1 + (Math.random() * 2 * left) / (kills - n + 2)
    const process = await replay()
    while (process.exit === undefined && (await countOf(broker, queue)) < enough) await sleep(1)
    if (process.exit === undefined) killed += 1
    await process.kill()
    await process.exited
    countInto(named, process.stdout)
  }
  const namedByKilled = named.size
  const last = await replay()
  await last.exited
  countInto(named, last.stdout)
  const copies = await copiesIn(broker, queue)
  const all = Array.from({ length: count }, (_, index) => copies.get(`m${index}`) ?? 0)
  return {
    lost: all.filter((times) => times === 0).length,
    doubled: all.filter((times) => times > 1).length,
    unnamed: all.reduce((sum, times, index) => sum + Math.max(0, times - (named.get(`m${index}`) ?? 0)), 0),
    killed,
    named: namedByKilled,
  }
}

async function countOf(broker: Broker, queue: string): Promise<number> {
  const counts = (await broker.queues()).find(({ name }) => name === queue)
  return counts === undefined ? 0 : counts.ready + counts.unacked
}

/** A line that was cut off by the end names nobody. */
function countInto(named: Map<string, number>, lines: readonly string[]): void {
  for (const line of lines) {
    const id = / (m\d+) -> \S+$/.exec(line)?.[1]
    if (id !== undefined) named.set(id, (named.get(id) ?? 0) + 1)
  }
}

/** How often each message id is in the queue, which is empty afterwards. */
async function copiesIn(broker: Pick<Broker, 'url'>, queue: string): Promise<ReadonlyMap<string, number>> {
  const copies = new Map<string, number>()
  const connection = await connect(broker.url)
  try {
    const channel = await connection.createChannel()
    let { messageCount: left } = await channel.checkQueue(queue)
    if (left === 0) return copies
    await new Promise<void>((resolve) => {
      const take = (id: string): void => {
        copies.set(id, (copies.get(id) ?? 0) + 1)
        left -= 1
        if (left === 0) resolve()
      }
      void channel.consume(queue, (message) => take(message?.properties.messageId), { noAck: true })
    })
    await channel.close()
  } finally {
    await connection.close()
  }
  return copies
}
