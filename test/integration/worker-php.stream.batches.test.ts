import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { activeOf } from '../support/message-streams.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { test as base, type OpenOptions, type OpenStream } from '../support/stream-requests.ts'

/* Messages that a handler puts off, to finish several at once. */

/** Puts off what is to `wait`, and finishes all of it, in one line of its notes, with the third or when it is told to. */
const BATCH = `final class Batch implements Batching {
  private array $jobs = [];
  private ?\\Closure $late = null;
  public function __invoke(Message $message): void { throw new \\LogicException('not called'); }
  public function collect(Message $message, \\Closure $finish): void {
    $do = $message->payload()['do'];
    if ($do === 'throw') { throw new Retry(7, 'not now'); }
    if ($do === 'exit') { exit; }
    if ($do === 'at once') { echo 'printed'; $finish(null); $finish(new \\Exception('too late')); return; }
    Subject::set($do);
    $this->jobs[] = [$do, $finish];
    if (count($this->jobs) === 3) { $this->flush(); }
  }
  public function flush(): void {
    $jobs = $this->jobs;
    $this->jobs = [];
    file_put_contents(getenv('NOTES'), implode(' ', array_column($jobs, 0)) . "\\n", FILE_APPEND);
    foreach ($jobs as [$do, $finish]) {
      if ($do === 'late') { $this->late = $finish; continue; }
      if ($this->late !== null) { ($this->late)(null); }
      if ($do === 'break') { throw new \\Exception('the batch broke'); }
      if ($do === 'die') { exit; }
      if ($do !== 'forget') { $finish($do === 'reject' ? new Reject('not this one') : null); }
    }
  }
}`

const test = base.extend<{ batches: (lock?: string) => ReturnType<typeof opened> }>({
  batches: async ({ openStream }, use) => {
    await use((lock = '') => opened(openStream, lock))
  },
})

async function opened(openStream: (php: string, options: OpenOptions) => Promise<OpenStream>, lock: string) {
  const notes = join(temporaryFolder('batches'), 'notes')
  const stream = await openStream('', {
    before: BATCH,
    handler: 'new Batch()',
    worker: lock,
    pool: { environment: { NOTES: notes } },
  })
  return { ...stream, batches: () => readFileSync(notes, 'utf8').trim().split('\n') }
}

test('have their answers when the batch is whole, each its own', async ({ batches }) => {
  const { client, batches: made } = await batches()
  client.message({ do: 'a' })
  await client.expect('collected', 1)
  client.message({ do: 'reject' })
  await client.expect('collected', 2)
  // Others pass them.
  expect(await client.ask({ do: 'at once' })).toMatchObject({ outcome: 'ack', body: 'printed' })
  expect(await client.ask({ do: 'throw' })).toMatchObject({ outcome: 'retry', status: 503 })
  client.message({ do: 'b' })
  const first = await client.answer(1)
  expect(first).toMatchObject({ outcome: 'ack', status: 200, body: '' })
  expect(first.headers.get('x-bridge-subject')).toEqual(['a'])
  expect(await client.answer(2)).toMatchObject({ outcome: 'dead-letter', body: 'not this one\n' })
  expect(await client.answer(5)).toMatchObject({ outcome: 'ack' })
  expect(made()).toEqual(['a reject b'])
  client.end()
  expect([await client.rest(), await client.closed]).toEqual([[], 'ended'])
})

test('have their answers when no more come for now, and when no more come at all', async ({ batches }) => {
  const { client, batches: made } = await batches()
  for (const [index, task] of ['a', 'b'].entries()) {
    client.message({ do: task })
    await client.expect('collected', index + 1)
  }
  client.flush()
  expect([await client.answer(1), await client.answer(2)]).toMatchObject([{ status: 200 }, { status: 200 }])
  client.message({ do: 'c' })
  await client.expect('collected', 3)
  client.end()
  expect(await client.answer(3)).toMatchObject({ outcome: 'ack' })
  expect([await client.rest(), await client.closed]).toEqual([[], 'ended'])
  expect(made()).toEqual(['a b', 'c'])
})

test('fail when they are forgotten, or when the batch does', async ({ batches }) => {
  const { client } = await batches()
  for (const [index, task] of ['forget', 'break'].entries()) {
    client.message({ do: task })
    await client.expect('collected', index + 1)
  }
  client.flush()
  expect([await client.answer(1), await client.answer(2)]).toMatchObject([
    { outcome: 'retry', status: 500 },
    { outcome: 'retry', status: 500 },
  ])
  expect(client.stderr).toContain(
    'it was put off, and not finished when no more messages came: Exception: the batch broke',
  )
  expect(await client.ask({ do: 'at once' })).toMatchObject({ outcome: 'ack' })
})

test('that are finished after they have failed change nothing, and hold no lock', async ({ batches }) => {
  const { client } = await batches('lock: new FileLock(__DIR__)')
  for (const [index, task] of ['late', 'a'].entries()) {
    client.message({ do: task }, { AMQP_MESSAGE_ID: 'm-1' })
    await client.expect('collected', 2 * index + 1)
    client.flush()
    expect(await client.answer(2 * index + 1)).toMatchObject({ outcome: task === 'a' ? 'ack' : 'retry' })
    if (index === 0) {
      // The same message again: the lock is free.
      expect(await client.ask({ do: 'throw' }, { AMQP_MESSAGE_ID: 'm-1' })).toMatchObject({ status: 503 })
      expect(client.stderr).not.toContain('executed elsewhere')
    }
  }
  client.end()
  expect([await client.rest(), await client.closed]).toEqual([[], 'ended'])
})

test('are not finished by a worker whose daemon is gone', async ({ batches }) => {
  const { client, pool, batches: made } = await batches()
  client.message({ do: 'a' })
  await client.expect('collected', 1)
  client.close()
  await eventually('its request is over', async () => (await activeOf(pool)) === 0)
  expect(() => made()).toThrow('ENOENT')
})

test.for(['exit', 'die'])('have no answer when the script ends: %s', async (how, { batches }) => {
  const { client } = await batches('lock: new FileLock(__DIR__)')
  client.message({ do: 'a' }, { AMQP_MESSAGE_ID: 'm-1' })
  await client.expect('collected', 1)
  client.message({ do: how }, { AMQP_MESSAGE_ID: 'm-2' })
  if (how === 'exit') expect(await client.answer(2)).toMatchObject({ outcome: 'retry' })
  else {
    await client.expect('collected', 2)
    client.flush()
    // What was finished before is said.
    expect(await client.answer(1)).toMatchObject({ outcome: 'ack' })
  }
  expect(await client.expect('end', 2)).toBe('exit')
  client.end()
  expect([await client.rest(), await client.closed]).toEqual([[], 'ended'])
})
