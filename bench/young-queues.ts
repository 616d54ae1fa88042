import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'amqplib'
import yargs from 'yargs'
import { type OwnBroker, startBroker } from '../test/support/broker.ts'

/*
 *   npx tsx bench/young-queues.ts --rounds 5
 *
 * How old a quorum queue has to be for its confirms to survive a broker that is killed: declares one, publishes into it when it has
 * its age, kills the broker as soon as it has confirmed, and looks what is there after the restart.
 */
const { rounds, idle } = yargs(process.argv.slice(2))
  .option('rounds', { type: 'number', default: 5, describe: 'how often the broker is killed' })
  .option('idle', { type: 'number', default: 0, describe: 'milliseconds between the confirms and the kill' })
  .strict()
  .version(false)
  .parseSync()

/** Milliseconds between declare and publish. */
const AGES = [0, 100, 300, 500, 700, 1_000, 1_500, 2_000, 3_000]
const ANSWER_TIMEOUT = 5_000

type End = 'kept' | 'lost' | 'queue gone' | 'dead'

/** One queue alone: what the broker writes for others would save it. */
async function killed(broker: OwnBroker, queue: string, age: number): Promise<End> {
  const connection = await connect(broker.url)
  connection.on('error', () => {})
  const channel = await connection.createConfirmChannel()
  channel.on('error', () => {})
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  await pause(age)
  channel.sendToQueue(queue, Buffer.from('one'), { persistent: true })
  await channel.waitForConfirms()
  await pause(idle)
  await broker.kill()
  await broker.start()
  return endOf(broker, queue)
}

async function endOf(broker: OwnBroker, queue: string): Promise<End> {
  const connection = await connect(broker.url)
  connection.on('error', () => {})
  try {
    const deadline = Date.now() + 2 * ANSWER_TIMEOUT
    for (;;) {
      const channel = await connection.createChannel()
      channel.on('error', () => {})
      const answer = channel.get(queue, { noAck: true }).then(
        (message): End => (message === false ? 'lost' : 'kept'),
        (error: { code?: number; message: string }): End | 'again' =>
          error.code === 404 && error.message.includes('no queue') ? 'queue gone' : 'again',
      )
      const end = await Promise.race([answer, pause(ANSWER_TIMEOUT, 'again' as const)])
      if (end !== 'again') return end
      if (Date.now() > deadline) return 'dead'
      await pause(500)
    }
  } finally {
    void connection.close().catch(() => {})
  }
}

const broker = await startBroker()
try {
  const counts = new Map<number, Map<End, number>>(AGES.map((age) => [age, new Map()]))
  for (let number = 1; number <= rounds; number += 1) {
    for (const age of AGES) {
      const end = await killed(broker, `young-${number}-${age}`, age)
      const count = counts.get(age) as Map<End, number>
      count.set(end, (count.get(end) ?? 0) + 1)
    }
  }
  console.log('| age when published, ms | ends |\n|---|---|')
  for (const [age, count] of counts) {
    console.log(`| ${age} | ${[...count].map(([end, times]) => `${end} ${times}`).join(', ')} |`)
  }
} finally {
  await broker.close()
}
