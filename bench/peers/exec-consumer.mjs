// node exec-consumer.mjs URL QUEUE PREFETCH PHP SCRIPT
//
// Starts `php SCRIPT BODY` for each message, and acks when it has ended with 0; as many at a time as the prefetch.

import { spawn } from 'node:child_process'
import { connect } from 'amqplib'

const [url = '', queue = '', prefetch = '', php = '', script = ''] = process.argv.slice(2)
const connection = await connect(url)
const channel = await connection.createChannel()
await channel.prefetch(Number(prefetch))
await channel.consume(queue, (message) => {
  if (message === null) process.exit(1)
  const worker = spawn(php, [script, message.content.toString()], { stdio: ['ignore', 'ignore', 'inherit'] })
  worker.once('exit', (code) => (code === 0 ? channel.ack(message) : process.exit(1)))
})
process.on('SIGTERM', () => channel.close().then(() => process.exit(0)))
