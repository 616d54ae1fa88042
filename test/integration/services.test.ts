import { expect } from 'vitest'
import { startBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { groupIsAlive } from '../support/run-folder.ts'

test('the broker keeps a durable queue over a crash', async () => {
  const broker = await startBroker()
  try {
    await broker.api('PUT', '/queues/%2F/kept', { durable: true })
    await broker.flush()
    await broker.kill()
    await broker.start()
    expect(await broker.queues()).toEqual([{ name: 'kept', ready: 0, unacked: 0, consumers: 0 }])
  } finally {
    await broker.close()
  }
})

test('the shared broker is reached by its API, by rabbitmqctl and from within', async ({ broker, queue }) => {
  await broker.api('PUT', `/queues/%2F/${queue}`, { durable: true })
  await broker.api('POST', '/exchanges/%2F/amq.default/publish', {
    properties: {},
    routing_key: queue,
    payload: 'a message',
    payload_encoding: 'string',
  })
  await eventually('the message is in the queue', async () => {
    const queues = await broker.queues()
    expect(queues).toContainEqual({ name: queue, ready: 1, unacked: 0, consumers: 0 })
    return true
  })
  const columns = ['name', 'messages_ready', 'messages_unacknowledged', 'consumers']
  const table = await broker.ctl('list_queues', '--silent', '--no-table-headers', ...columns)
  expect(table.split('\n')).toContain(`${queue}\t1\t0\t0`)
  await expect(broker.queues('none')).rejects.toThrow('badmatch')
})

test('a pool comes back on the same socket', async ({ ownPool }) => {
  const pool = await ownPool({ children: 2 })
  const first = pool.masterPid
  await pool.kill()
  await pool.start()
  expect(pool.masterPid).not.toBe(first)
  await pool.reload()
  await pool.stop()
  expect(pool.errorLog()).toContain('exiting, bye-bye!')
  expect(groupIsAlive(first as number)).toBe(false)
})
