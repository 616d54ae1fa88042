// node broker-only.mjs URL QUEUE PREFETCH
//
// Consumes and acks, and does nothing else: what amqplib and the broker give at most.

import { connect } from 'amqplib'

const [url = '', queue = '', prefetch = ''] = process.argv.slice(2)
const connection = await connect(url)
const channel = await connection.createChannel()
await channel.prefetch(Number(prefetch))
await channel.consume(queue, (message) => message !== null && channel.ack(message))
process.on('SIGTERM', () => channel.close().then(() => process.exit(0)))
