import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type FastCgiBody, FastCgiError } from '../../src/fastcgi/types.ts'
import { eventually } from '../support/eventually.ts'
import { handlerScript, workerPhp } from '../support/handler-script.ts'
import { publishAll } from '../support/messages.ts'
import { behave, nativeClient } from '../support/pool-client.ts'
import type { PoolOptions } from '../support/pool-configuration.ts'
import { countsOf } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { readWorkerLog } from '../support/worker-log.ts'
import { type Ask, markerOf, PARAMS, test } from '../support/worker-requests.ts'

/*
 * PHP runs a script also with a part of its body. What PHP has is compared with what was sent: a handler never sees a part.
 */

const FORM = `do=it&text=${'x'.repeat(50_000)}&daemonId=D-1f3a9c02`
const PART = (name: string, text: string) =>
  `--B\r\nContent-Disposition: form-data; name="${name}"${name === 'file' ? '; filename="f"' : ''}\r\n\r\n${text}\r\n`
const MULTIPART = `${PART('do', 'it')}${PART('file', 'y'.repeat(50_000))}${PART('last', 'z')}--B--\r\n`

const BODIES = {
  json: ['application/json', `{"do":"it","text":"${'x'.repeat(50_000)}"}`],
  form: ['application/x-www-form-urlencoded', FORM],
  text: ['text/csv', 'x'.repeat(50_000)],
  multipart: ['multipart/form-data; boundary=B', MULTIPART],
} as const

/** Asks for a handler that takes bodies of any kind. */
const run = (ask: Ask, type: string, body: string | FastCgiBody, params: Record<string, string> = {}) =>
  ask('', { params: { CONTENT_TYPE: type, ...params }, body }, { do: "'it'" })

const POOLS: Readonly<Record<string, PoolOptions>> = {
  'as it is by default': {},
  'with enable_post_data_reading off': { ini: { enable_post_data_reading: 'off' } },
}

for (const [name, options] of Object.entries(POOLS)) {
  test(`whole bodies of every kind are executed, in a pool ${name}`, async ({ askOf }) => {
    const ask = await askOf(options)
    for (const [kind, [type, body]] of Object.entries(BODIES)) {
      expect(markerOf(await run(ask, type, body)), kind).toEqual(['ack'])
    }
    expect(markerOf(await run(ask, 'text/csv', ''))).toEqual(['ack'])
  })

  test(`a sender that goes away in the middle has nothing executed, in a pool ${name}`, async ({ askOf }) => {
    const ask = await askOf({ ...options, children: 1 })
    for (const [type, body] of Object.values(BODIES)) {
      const cut = run(ask, type, { length: body.length, pieces: half(body) })
      await expect(cut).rejects.toThrow(FastCgiError)
    }
    // The only child has ended with those before.
    const { executions } = await run(ask, 'text/csv', 'x')
    expect(executions()).toHaveLength(1)
  })
}

test('the daemon’s word for the length counts more than CONTENT_LENGTH', async ({ ask }) => {
  const response = await run(ask, 'text/csv', 'x'.repeat(10), { AMQP_BODY_LENGTH: '11' })
  expect([response.status, markerOf(response), response.executions()]).toEqual([503, ['retry'], []])
  expect(response.stderr).toContain("not executed: of its body's 11 bytes PHP has 10.")
})

test('without room in PHP’s temporary folder, small bodies are executed and large ones are not', async ({
  askOf,
}) => {
  const none = join(workerPhp, 'no-such-folder')
  const ask = await askOf({ ini: { sys_temp_dir: none, upload_tmp_dir: none } })
  expect(markerOf(await run(ask, 'application/x-www-form-urlencoded', 'do=it&daemonId=D-1f3a9c02'))).toEqual([
    'ack',
  ])
  for (const [kind, [type, body]] of Object.entries(BODIES)) {
    const response = await run(ask, type, body)
    expect([response.status, markerOf(response)], kind).toEqual([503, ['retry']])
    expect(response.stderr, kind).toContain(`Its temporary folder, ${none}, is full`)
    expect(response.executions(), kind).toHaveLength(1)
  }
})

test('the smallest worker refuses a part, and takes the daemon’s id from the daemon', async ({ ownPool }) => {
  const log = join((await ownPool()).directory, 'worker.log')
  const pool = await ownPool({ environment: { WORKER_LOG: log, WORKER_SLEEP_MS: '0' } })
  const client = nativeClient(pool, { keepAlive: false })
  const post = (body: string, more = {}) => {
    const type = { CONTENT_TYPE: 'application/x-www-form-urlencoded' }
    const params = { ...PARAMS, ...type, SCRIPT_FILENAME: join(workerPhp, 'worker.php'), ...more }
    return client.request({ params, body: Buffer.from(body) })
  }
  try {
    const cut = await post('number=7&daemonId=D-1f3', { AMQP_BODY_LENGTH: '28' })
    expect([cut.status, cut.body.toString()]).toEqual([503, 'The body of the message is not whole.\n'])
    expect((await post('number=8&daemonId=D-1f3a9c02&+daemonId=forged')).status).toBe(200)
    expect(readWorkerLog(log)).toEqual([{ number: '8', daemonId: 'D-1f3a9c02' }])
  } finally {
    await client.close()
  }
})

test.for([
  ['completed', 'SIGKILL'],
  ['dispatched', 'SIGKILL'],
  ['completed', 'SIGTERM'],
] as const)(
  '--ack %s: a daemon that ends by %s in the middle of a body has nothing executed; the next sends all of it',
  async ([ack, signal], { broker, queue, ownPool, startDaemon }) => {
    const pool = await ownPool({ children: 1 })
    const release = join(pool.directory, 'release')
    const { script, executions } = handlerScript(pool.directory, '', { do: 'strlen($message->body())' })
    const busy = nativeClient(pool, { keepAlive: false })
    // The only child: more than a socket holds waits for it.
    const waiting = behave(busy, 'wait', release)
    const length = 3_000_000
    await publishAll(broker, queue, [Buffer.alloc(length, 'x')], { contentType: 'text/csv' })
    const args = ['--payload', 'raw', '--ack', ack, '--drain-timeout', '200ms']
    const first = await startDaemon({ socket: pool.socket, script, args })
    await first.waitForLine('Consuming.')
    await eventually('it is on its way', async () => (await countsOf(broker, queue))?.unacked === 1)
    first.signal(signal)
    await first.exited
    writeFileSync(release, '')
    await waiting
    await busy.close()
    const second = await startDaemon({ socket: pool.socket, script, args })
    await second.waitForLine('Executed.')
    expect(executions()).toEqual([{ do: length, attempt: 1 }])
  },
)

test('where PHP has no room for a body, the message is repeated until there is', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const room = join(temporaryFolder('room'), 'later')
  const pool = await ownPool({ ini: { sys_temp_dir: room, upload_tmp_dir: room } })
  const { script, executions } = handlerScript(pool.directory, '', {
    do: "strlen($message->payload()['text'])",
  })
  await publishAll(broker, queue, [{ text: 'x'.repeat(200_000) }])
  const args = ['--ack', 'completed', '--require-marker', '--retry-delay', '100ms']
  const daemon = await startDaemon({ socket: pool.socket, script, args })
  expect((await daemon.waitForLine('To be executed again.'))['stderr']).toContain('is full')
  mkdirSync(room)
  await daemon.waitForLine('Executed.')
  expect(executions()).toEqual([{ do: 200_000, attempt: expect.any(Number) }])
})

/** Half of it; then the sender dies. */
async function* half(body: string): AsyncGenerator<Buffer> {
  yield Buffer.from(body.slice(0, body.length / 2))
  throw new Error('the sender dies')
}
