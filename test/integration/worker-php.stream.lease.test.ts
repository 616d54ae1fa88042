import { expect } from 'vitest'
import { test } from '../support/stream-requests.ts'

/* What was sent ahead of a long message is executed elsewhere, and not here. */

const SLEEPS = 'usleep(1000 * (int) $do);'

test('a message over the lease gets a question, and what was sent ahead is dropped until resumed', async ({
  openStream,
}) => {
  const { client, executions } = await openStream(SLEEPS, { lease: 1_000 })
  client.bundle({ do: '1' }, { do: '1200' }, { do: '2' })
  client.message({ do: '3' })
  expect(await client.answer(1)).toMatchObject({ outcome: 'ack' })
  expect(await client.answer(2)).toMatchObject({ outcome: 'ack' })
  expect(await client.expect('question', 2)).toBe('')
  client.message({ do: '4' })
  client.resume(1) // another's
  client.message({ do: 'x'.repeat(200_000) })
  client.resume(2)
  client.message({ do: '5' })
  expect(await client.answer()).toMatchObject({ outcome: 'ack' })
  expect(executions().map((execution) => execution.do)).toEqual(['1', '1200', '5'])
  client.message({ do: '6' })
  expect(await client.answer()).toMatchObject({ outcome: 'ack' })
})

test('the lease counts from the frame before, so a wait for a message asks, too', async ({ openStream }) => {
  const { client, executions } = await openStream(SLEEPS, { lease: 500 })
  await new Promise((resolve) => setTimeout(resolve, 600))
  for (const ms of ['1', '2']) client.message({ do: ms })
  await client.answer(1)
  await client.expect('question', 1)
  client.resume(1)
  client.message({ do: '3' })
  await client.answer(3)
  expect(executions().map((execution) => execution.do)).toEqual(['1', '3'])
})

test('messages that are short by themselves are not asked about, however long they take together', async ({
  openStream,
}) => {
  const { client, executions } = await openStream(SLEEPS, { lease: 700 })
  for (let sent = 0; sent < 10; sent += 1) client.message({ do: '100' })
  for (let answered = 1; answered <= 10; answered += 1) await client.answer(answered)
  expect(executions()).toHaveLength(10)
})

test('an answer that is written late counts, too: the second look at the clock comes after the write', async ({
  openStream,
}) => {
  const { client, executions } = await openStream('if ($do === "large") echo str_repeat("x", 10 << 20);', {
    lease: 300,
    worker: 'outputLimit: 20 << 20',
  })
  client.socket.pause()
  for (const name of ['large', 'two']) client.message({ do: name })
  // The worker can write no more than the socket holds.
  await new Promise((resolve) => setTimeout(resolve, 600))
  client.socket.resume()
  expect((await client.answer(1)).body.length).toBe(10 << 20)
  await client.expect('question', 1)
  client.end()
  expect([await client.rest(), await client.closed]).toEqual([[], 'ended'])
  expect(executions()).toHaveLength(1)
})
