import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect } from 'vitest'
import { runBridge, spawnBridge } from '../support/bridge-process.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { workerPhp } from '../support/handler-script.ts'
import { takeAll } from '../support/messages.ts'
import { workerThat } from '../support/worker-script.ts'

/* publish --wait-reply, through a daemon, a pool, and the RPC worker among the examples. */

const script = join(workerPhp, 'examples/rpc.php')
const ARGS = ['--replies', '--ack', 'completed', '--require-marker']

const words = (log: readonly { message: string }[]) => log.map(({ message }) => message)

test.for(['form', 'raw'])(
  'the example adds, and says what is wrong (--payload %s)',
  async (payload, { broker, queue, startDaemon }) => {
    await startDaemon({ script, args: [...ARGS, '--payload', payload] })
    const publish = ['publish', '--url', broker.url, '-q', queue, '--wait-reply', '30s']
    const right = await runBridge([...publish, '{"add":[1,2,3.5]}'])
    expect(right).toMatchObject({ code: 0, stdout: ['{"sum":6.5}'] })
    expect(words(right.log)).toEqual([
      'fpm-bridge: message 1: status 200, executed, 11 bytes',
      `fpm-bridge: 1 published to "${queue}", 1 answered`,
    ])
    const wrong = await runBridge([...publish, '{"add":"up"}'])
    expect(wrong).toMatchObject({ code: 0, stdout: ['add needs a list of numbers'] })
    expect(wrong.log[0]?.message).toMatch(/^fpm-bridge: message 1: status 422, dead-letter, .*, 28 bytes$/)
  },
)

test('several messages, whose answers come in another order', async ({ broker, queue, startDaemon }) => {
  const worker = workerThat(`usleep((int) $_POST['ms'] * 1000); echo "after $_POST[ms] ms";`)
  await startDaemon({ script: worker.path, args: ARGS.slice(0, 3) })
  const { code, stdout, log } = await runBridge([
    ...['publish', '--url', broker.url, '-q', queue, '--wait-reply', '30s'],
    ...['{"ms":1000}', '{"ms":500}', '{"ms":0}'],
  ])
  expect(code).toBe(0)
  expect(stdout).toEqual(['after 0 ms', 'after 500 ms', 'after 1000 ms'])
  expect(words(log).slice(0, 3)).toEqual([
    expect.stringContaining('message 3: status 200'),
    expect.stringContaining('message 2: status 200'),
    expect.stringContaining('message 1: status 200'),
  ])
})

test('without an answer it ends with 69, and the message is in the queue', async ({ broker, queue }) => {
  const { code, stdout, log } = await runBridge([
    ...['publish', '--url', broker.url, '-q', queue, '--wait-reply', '300ms', '--verbose'],
    ...['--property', 'correlation_id=mine', '{}'],
  ])
  expect({ code, stdout }).toEqual({ code: 69, stdout: [] })
  expect(words(log).slice(-2)).toEqual([
    'fpm-bridge: message 1: no answer in time',
    `fpm-bridge: 1 published to "${queue}", 0 answered`,
  ])
  expect(await takeAll(broker, queue)).toMatchObject([
    {
      properties: {
        correlationId: 'mine',
        replyTo: expect.stringMatching(/^amq\.rabbitmq\.reply-to\../),
      },
    },
  ])
})

test('a signal: nothing more is sent, and answers to what is sent are waited for', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const worker = workerThat('usleep(1500000); echo "at last";')
  await startDaemon({ script: worker.path, args: ARGS.slice(0, 3) })
  const publisher = await spawnBridge([
    ...['publish', '--url', broker.url, '-q', queue, '--wait-reply', '30s', '{}'],
  ])
  await eventually('it runs', () => worker.executions().length === 1)
  publisher.signal('SIGTERM')
  expect(await publisher.exited).toMatchObject({ code: 75 })
  expect(publisher.stdout).toEqual(['at last'])
})

test('what cannot be answered, or not told apart, is refused', async ({ broker, queue }) => {
  const publish = ['publish', '--url', broker.url, '-q', queue, '--wait-reply', '1s']
  for (const args of [
    ['--property', 'reply_to=elsewhere', '{}'],
    ['--property', 'correlation_id=1', '{}', '{}'],
    ['--property', 'correlation_id=1', '--body', '{}', '--count', '2'],
    ['--property', 'correlation_id=1'],
  ]) {
    const { code, log } = await runBridge([...publish, ...args])
    expect([args, code]).toEqual([args, 64])
    expect(words(log).join()).toContain('--wait-reply')
  }
})

test('lines of standard input, as many as one likes', async ({ broker, queue, startDaemon }) => {
  const worker = workerThat(`echo $_POST['n'];`)
  await startDaemon({ script: worker.path, args: [...ARGS.slice(0, 3), '--concurrency', '2'] })
  const child = spawn(process.execPath, [
    join(workerPhp, '../dist/main.js'),
    ...['publish', '--url', broker.url, '-q', queue, '--wait-reply', '60s'],
  ])
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.resume()
  const all = Array.from({ length: 2_000 }, (_, index) => index)
  child.stdin.end(all.map((n) => `{"n":${n}}\n`).join(''))
  expect(await once(child, 'close')).toEqual([0, null])
  const got = Buffer.concat(chunks).toString().trim().split('\n').map(Number)
  expect(got.sort((one, other) => one - other)).toEqual(all)
})
