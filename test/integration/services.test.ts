import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { behave, nativeClient } from '../support/pool-client.ts'
import { readPage } from '../support/pool-page.ts'
import { signalIfThere } from '../support/processes.ts'
import { groupIsAlive } from '../support/run-folder.ts'
import { stopChildren } from '../support/standing-children.ts'

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

test('children that are stopped are executing what they have read, and not what lies in their sockets', async ({
  ownPool,
}) => {
  const pool = await ownPool({ children: 2 })
  const client = nativeClient(pool)
  const go = join(pool.directory, 'go')
  const ask = (execution: string, onSent = () => {}) =>
    behave(client, 'wait', go, { params: { QUERY_STRING: `execution=${execution}` }, onSent })
  const running = ask('one')
  await eventually('it runs', async () => (await readPage(pool))?.some(({ state }) => state === 'Running'))
  const standing = await stopChildren(pool)
  expect(standing).toEqual([{ executionId: 'one', pid: expect.any(Number) }])
  let unread: ReturnType<typeof ask> | undefined
  await new Promise<void>((sent) => {
    unread = ask('two', sent)
  })
  // They are stopped already.
  expect(await stopChildren(pool)).toEqual(standing)
  writeFileSync(go, '')
  for (const { pid } of (await readPage(pool)) ?? []) signalIfThere(pid, 'SIGCONT')
  expect([(await running).status, (await unread)?.status]).toEqual([200, 200])
})
