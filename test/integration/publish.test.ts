import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { runBridge } from '../support/bridge-process.ts'
import { test } from '../support/fixtures.ts'
import { takeAll } from '../support/messages.ts'

const entryPoint = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

test('messages from arguments: declared, persistent, with a message id, counted', async ({
  broker,
  queue,
}) => {
  const { code, stdout } = await runBridge(['publish', '--url', broker.url, '-q', queue, '{"a":1}', '[2]'])
  expect({ code, stdout }).toEqual({ code: 0, stdout: [`2 published to "${queue}"`] })

  const messages = await takeAll(broker, queue)
  expect(messages.map(({ content }) => content.toString())).toEqual(['{"a":1}', '[2]'])
  for (const { properties } of messages) {
    expect(properties).toMatchObject({
      deliveryMode: 2,
      contentType: 'application/json',
      messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      timestamp: expect.any(Number),
    })
  }
  expect(await broker.api('GET', `/queues/%2F/${queue}`)).toMatchObject({ durable: true, auto_delete: false })
})

test('messages from a template, with a line each', async ({ broker, queue }) => {
  const args = [
    'publish',
    '--url',
    broker.url,
    '-q',
    queue,
    '--count',
    '3',
    '--body',
    '{"n":"{n}","again":{n}}',
  ]
  const { code, stdout } = await runBridge([...args, '--verbose'])
  expect(code).toBe(0)
  expect(stdout.slice(0, 3)).toEqual([
    expect.stringMatching(/^message 1 \S{36} {"n":"1","again":1}$/),
    expect.stringMatching(/^message 2 \S{36} {"n":"2","again":2}$/),
    expect.stringMatching(/^message 3 \S{36} {"n":"3","again":3}$/),
  ])
  expect(stdout.at(-1)).toBe(`3 published to "${queue}"`)
})

test('headers, properties and content type', async ({ broker, queue }) => {
  const { code } = await runBridge([
    ...[
      'publish',
      '--url',
      broker.url,
      '-q',
      queue,
      '--content-type',
      'text/plain',
      '--header',
      'x-tenant=acme=1',
    ],
    ...['--property', 'message_id=M-1', '--property', 'type=greeting', '--property', 'priority=3', 'hello'],
  ])
  expect(code).toBe(0)
  const [message] = await takeAll(broker, queue)
  expect(message?.properties).toMatchObject({
    messageId: 'M-1',
    type: 'greeting',
    priority: 3,
    contentType: 'text/plain',
    headers: { 'x-tenant': 'acme=1' },
  })
})

test('lines of standard input; one that is not JSON is left out, named, and makes the exit code 65', async ({
  broker,
  queue,
}) => {
  const lines = ['{"number":1}', '', 'not JSON\r', '{"number":2}\r']
  const { code, stdout, stderr } = await pipe(['publish', '--url', broker.url, '-q', queue], lines)
  expect(code).toBe(65)
  expect(stdout).toEqual([`2 published to "${queue}", 1 left out`])
  expect(stderr).toEqual([expect.stringMatching(/^fpm-bridge: line 3 is left out, it is not JSON: /)])
  const bodies = (await takeAll(broker, queue)).map(({ content }) => content.toString())
  expect(bodies).toEqual(['{"number":1}', '{"number":2}'])
})

test('200 MiB of standard input pass through in bounded memory', async ({ broker, queue }) => {
  await broker.api('PUT', `/queues/%2F/${queue}`, { durable: true, arguments: { 'x-max-length': 10 } })
  const line = `{"text":"${'a'.repeat(100_000)}"}`
  const { code, stdout, peakBytes } = await pipe(
    ['publish', '--url', broker.url, '-q', queue],
    Array(2_000).fill(line),
  )
  expect({ code, stdout }).toEqual({ code: 0, stdout: [`2000 published to "${queue}"`] })
  expect(peakBytes).toBeLessThan(180 * 1024 * 1024)
})

test('a message that the broker refuses is an error, and not a count', async ({ broker, queue }) => {
  // The queue takes one; the broker answers the next with basic.nack.
  const full = { durable: true, arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } }
  await broker.api('PUT', `/queues/%2F/${queue}`, full)
  const { code, stdout, log } = await runBridge([
    'publish',
    '--url',
    broker.url,
    '-q',
    queue,
    '{}',
    '{}',
    '{}',
  ])
  expect(code).toBe(75)
  expect(stdout).toEqual([`1 published to "${queue}"`])
  expect(log[0]?.message).toMatch(
    /^fpm-bridge: stopped: message \d: queue ".*" does not take the message: it is full/,
  )
})

test.for([
  { what: 'no broker', args: ['--url', 'amqp://127.0.0.1:1', '{}'], code: 69, says: /ECONNREFUSED/ },
  {
    what: 'a missing queue with --no-declare',
    args: ['--no-declare', '-q', 'nowhere', '{}'],
    code: 78,
    says: /missing, and --no-declare/,
  },
  { what: 'a count without a body', args: ['--count', '3'], code: 64, says: /--count needs --body/ },
  {
    what: 'a property that is none',
    args: ['--property', 'colour=red', '{}'],
    code: 64,
    says: /--property must set one of message_id/,
  },
  {
    what: 'an argument that is not JSON',
    args: ['nonsense'],
    code: 65,
    says: /message 1 is left out, it is not JSON/,
  },
])('$what: exit $code', async ({ args, code, says }, { broker, queue }) => {
  const where = args.includes('--url') ? [] : ['--url', broker.url]
  const target = args.includes('-q') ? [] : ['-q', queue]
  const result = await runBridge(['publish', ...where, ...target, ...args])
  expect(result.code).toBe(code)
  expect(result.log.map(({ message }) => message).join('\n')).toMatch(says)
})

/** Runs the command with these lines on its standard input, and notes the most memory it had. */
async function pipe(args: readonly string[], lines: readonly string[]) {
  const child = spawn(process.execPath, ['--import', PEAK_REPORT, entryPoint, ...args], { stdio: 'pipe' })
  const stdout: string[] = []
  const stderr: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => stdout.push(line))
  createInterface({ input: child.stderr }).on('line', (line) => stderr.push(line))
  Readable.from(lines.map((line) => `${line}\n`)).pipe(child.stdin)
  const code = await new Promise((resolve) => child.once('close', resolve))
  const peak = stderr.pop()?.match(/^peak (\d+)$/)?.[1]
  return { code, stdout, stderr, peakBytes: Number(peak) * 1024 }
}

/** The operating system's own account of the peak, in KiB, as the process's last word. */
const PEAK_REPORT =
  "data:text/javascript,process.on('exit',()=>process.stderr.write('peak '+process.resourceUsage().maxRSS+'\\n'))"
