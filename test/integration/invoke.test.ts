import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, onTestFinished } from 'vitest'
import { type Invoked, type InvokeEnd, Invoker } from '../../src/operate/invoke/invoker.ts'
import { runLoad } from '../../src/operate/invoke/load.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { type Given, invoke } from '../support/given.ts'
import { handlerScript } from '../support/handler-script.ts'
import { publishAll } from '../support/messages.ts'
import { readRecords, recordScript } from '../support/records.ts'
import { removeFolder, temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

const entryPoint = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const VERSION = '0.0.0'

const folder = temporaryFolder('invoke')
afterAll(() => removeFolder(folder))

/** Answers as the message says. */
const worker = workerThat(
  `
  if (isset($_POST['wait'])) { ${waitForFile(join(folder, 'go'))} }
  header('X-Attempt: ' . $attempt);
  http_response_code((int) ($_POST['status'] ?? 200));
  error_log('said');
  echo 'answered', str_repeat('.', (int) ($_POST['more'] ?? 0));`,
  folder,
)

/** Ends with its test. */
function invoker(socket: string, given: Given, signal = new AbortController().signal) {
  const { bridge, properties, attempt } = invoke({ socket, script: worker.path, ...given }, '{}')
  const made = new Invoker(bridge, VERSION, signal)
  onTestFinished(() => made.close())
  const message = (body: unknown) => ({ body: Buffer.from(JSON.stringify(body)), properties, attempt })
  return { bridge, message, made, send: (body: unknown) => made.invoke(message(body)) }
}

function finished(end: InvokeEnd): Invoked {
  if (end === 'stopped') throw new Error('It was stopped.')
  return end
}

describe('invoke', () => {
  test('sends the request that a daemon sends', async ({ broker, sharedPool, queue, startDaemon }) => {
    const properties = {
      messageId: 'M',
      timestamp: 1_700_000_000,
      type: 'greeting',
      contentType: 'application/json',
    }
    const headers = { tenant: 'ä', traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` }
    const args = ['--ack', 'completed', '--daemon-id', 'D-same']
    await startDaemon({ script: recordScript, args })
    await publishAll(broker, queue, [{ a: { b: [1, 'x'] } }], { ...properties, headers })
    const records = () => readRecords(sharedPool.workerLog, queue)
    await eventually('the daemon has executed it', () => records().length === 1)

    const given = { queue, script: recordScript, ack: 'completed', 'daemon-id': 'D-same' }
    const { made, message } = invoker(sharedPool.socket, given)
    const sent = { ...message({ a: { b: [1, 'x'] } }), properties: { ...properties, headers } }
    expect(finished(await made.invoke(sent)).verdict.outcome).toBe('ack')
    const [ofDaemon, ofInvoke] = records().map(({ post, params, sha256 }) => {
      const { AMQP_EXECUTION_ID: id, AMQP_DEADLINE, SERVER_SOFTWARE, ...others } = params
      const { REQUEST_TIME, REQUEST_TIME_FLOAT, ...same } = others
      return JSON.parse(JSON.stringify({ post, sha256, params: same }).replaceAll(id as string, 'ID'))
    })
    expect(ofInvoke).toEqual(ofDaemon)
    expect(ofInvoke.params).toMatchObject({
      AMQP_MESSAGE_ID: 'M',
      AMQP_CONSUMER_TAG: 'D-same',
      QUERY_STRING: 'execution=ID',
    })
  })

  test('tells the answer, how long it took, and what would become of the message', async ({ sharedPool }) => {
    const { send } = invoker(sharedPool.socket, { ack: 'completed', attempt: '3' })
    const { answer, attempt, verdict, totalMs } = finished(await send({ status: 500 }))
    expect(attempt).toBe(3)
    expect(answer).toMatchObject({ status: 500, body: Buffer.from('answered'), stderr: 'PHP message: said' })
    expect(answer?.headers.get('x-attempt')).toEqual(['3'])
    expect(verdict).toMatchObject({
      outcome: 'retry',
      row: 'temporary',
      fate: expect.stringContaining('attempt 4 of 5'),
    })
    const { connect, firstByte, total } = answer?.timings ?? { connect: 0, firstByte: 0, total: 0 }
    expect([0, connect, firstByte, total, totalMs]).toEqual(
      [0, connect, firstByte, total, totalMs].sort((a, b) => a - b),
    )
    expect(connect).toBeGreaterThan(0)
  })

  test('warns of what a daemon would warn of', async ({ sharedPool }) => {
    const { send } = invoker(sharedPool.socket, { header: 'traceparent=none' })
    expect(finished(await send({})).warnings).toEqual([
      'HTTP_TRACEPARENT is left out: the header is not valid',
    ])
  })

  test('again and again: counts outcomes, with quantiles', async ({ sharedPool }) => {
    const { made, bridge, message } = invoker(sharedPool.socket, { ack: 'completed', concurrency: '3' })
    const told: number[] = []
    const options = { repeat: 20, onDone: (done: number) => void told.push(done) }
    const report = await runLoad(made, bridge, message({ status: 503 }), options)
    expect(report).toMatchObject({
      done: 20,
      end: 'done',
      concurrency: 3,
      connect: { count: 20 },
      total: { count: 20 },
    })
    expect(report.verdicts).toMatchObject([{ count: 20, outcome: 'retry', row: 'temporary' }])
    expect(report.total.p50).toBeLessThanOrEqual(report.total.max)
    expect(told).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  test('has no more bodies in flight than --max-bytes-in-flight', async ({ sharedPool }) => {
    const given = { concurrency: '8', 'max-bytes-in-flight': '1KiB' }
    const { made, bridge, message } = invoker(sharedPool.socket, given)
    const report = await runLoad(made, bridge, message({ a: 'x'.repeat(200) }), { repeat: 8 })
    expect(report).toMatchObject({ done: 8, concurrency: 2 })
  })

  test('many messages in a request, as a daemon sends them', async ({ sharedPool }) => {
    const own = temporaryFolder('invoke-stream')
    onTestFinished(() => removeFolder(own))
    const { script, executions } = handlerScript(own, `if ($do === 'fail') throw new \\Exception('no');`)
    const given = { script, ack: 'completed', 'messages-per-request': '10', concurrency: '2' }
    const { made, bridge, message, send } = invoker(sharedPool.socket, given)
    const report = await runLoad(made, bridge, message({ do: 'it' }), { repeat: 30 })
    expect(report.verdicts).toMatchObject([{ count: 30, outcome: 'ack', row: 'marked' }])
    expect(executions()).toHaveLength(30)
    expect(finished(await send({ do: 'fail' })).verdict).toMatchObject({ outcome: 'retry' })
  })

  test('ends where there is no pool', async () => {
    const { made, bridge, message } = invoker(join(folder, 'no.sock'), { concurrency: '1' })
    const report = await runLoad(made, bridge, message({}), { repeat: 1_000 })
    expect(report).toMatchObject({ done: 1, end: 'no-pool', verdicts: [{ outcome: 'hold', noPool: true }] })
  })

  test('ends at once when it is stopped, with what is known', async ({ sharedPool }) => {
    onTestFinished(() => writeFileSync(join(folder, 'go'), ''))
    const stop = new AbortController()
    const { made, bridge, message } = invoker(sharedPool.socket, { concurrency: '1' }, stop.signal)
    const before = worker.executions().length
    const load = runLoad(made, bridge, message({ wait: 1 }), { repeat: 5 })
    await eventually('a script runs', () => worker.executions().length === before + 1)
    stop.abort()
    expect(await load).toMatchObject({ done: 0, end: 'stopped', verdicts: [] })
    expect(await made.invoke(message({}))).toBe('stopped')
  })
})

/** The command, with its standard input. */
function command(socket: string, input: string, ...args: string[]) {
  const all = [entryPoint, 'invoke', '--socket', socket, '--script', worker.path, ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { input, encoding: 'utf8', env: {} })
  return { status, stdout, stderr: stderr.split('\n') }
}

describe('fpm-bridge invoke', () => {
  test('writes the body to standard output, and what is said of it to standard error', ({ sharedPool }) => {
    const { status, stdout, stderr } = command(sharedPool.socket, '{"status":404}', '--ack', 'completed')
    expect({ status, stdout }).toEqual({ status: 65, stdout: 'answered' })
    expect(stderr).toEqual(
      expect.arrayContaining([
        'status    404',
        'stderr    PHP message: said',
        expect.stringMatching(/^timings {3}connect \d+\.\d\d ms, first byte .* ms, total .* ms$/),
        'outcome   dead-letter: it goes to "commands.dead" with the reason',
        'row       any other status',
        'reason    the worker answered with status 404',
      ]),
    )
  })

  test('--json: one object, whatever the exit code', ({ sharedPool }) => {
    const { status, stdout } = command(sharedPool.socket, '', '--json', '--repeat', '3', '{"status":500}')
    expect(status).toBe(75)
    expect(JSON.parse(stdout)).toMatchObject({
      done: 3,
      end: 'done',
      timings_ms: { total: { count: 3 } },
      outcomes: [{ count: 3, outcome: 'log', success: false, row: 'temporary' }],
    })
  })

  test('waits for whoever reads the body, as long as it takes', ({ sharedPool }) => {
    // More than a pipe holds; and at their end other commands wait for a second.
    const invoked = [
      process.execPath,
      entryPoint,
      'invoke',
      '--socket',
      sharedPool.socket,
      '--script',
      worker.path,
    ]
    const script = '"$@" \'{"more":200000}\' | { sleep 2; wc -c; }'
    const { stdout } = spawnSync('sh', ['-c', script, 'sh', ...invoked], { encoding: 'utf8' })
    expect(stdout.trim()).toBe('200008')
  })

  test('refuses a message that is larger than --max-body, and a file that is not there', ({ sharedPool }) => {
    expect(command(sharedPool.socket, '0123456789', '--max-body', '8B')).toMatchObject({
      status: 65,
      stderr: [
        expect.stringContaining('standard input has more than the 8 bytes that --max-body allows'),
        '',
      ],
    })
    expect(command(sharedPool.socket, '', '--file', join(folder, 'none'))).toMatchObject({
      status: 64,
      stderr: [expect.stringMatching(/--file names ".*none", which does not exist$/), ''],
    })
  })
})
