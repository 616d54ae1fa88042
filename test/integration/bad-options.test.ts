import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runBridge } from '../support/bridge-process.ts'
import { removeFolder, temporaryFolder } from '../support/run-folder.ts'

const GOOD = ['--socket', '/run/php/fpm.sock', '--script', '/srv/worker.php']

test.for([
  { args: ['--script', '/srv/worker.php'], says: '--socket is required (or FPM_BRIDGE_SOCKET)' },
  { args: ['--socket', '/run/php/fpm.sock'], says: '--script is required (or FPM_BRIDGE_SCRIPT)' },
  { args: ['--socket', 'fpm.sock', '--script', '/w.php'], says: '--socket must be an absolute socket path' },
  { args: ['--socket', `/${'s'.repeat(107)}`, '--script', '/w.php'], says: '--socket is 108 bytes long' },
  { args: ['--socket', '/run/fpm.sock', '--script', 'w.php'], says: '--script must be an absolute path' },
  {
    args: [...GOOD, '--concurrency', '0'],
    says: '--concurrency must be an integer from 1 to 65535, not "0"',
  },
  {
    args: [...GOOD, '--concurrency', '-1'],
    says: '--concurrency must be an integer from 1 to 65535, not "-1"',
  },
  {
    args: [...GOOD, '--concurrency', '1.5'],
    says: '--concurrency must be an integer from 1 to 65535, not "1.5"',
  },
  {
    args: [...GOOD, '--concurrency', 'abc'],
    says: '--concurrency must be an integer from 1 to 65535, not "abc"',
  },
  { args: [...GOOD, '--concurrency', '1', '--concurrency', '2'], says: '--concurrency is given 2 times' },
  { args: [...GOOD, '--prefetch', '70000'], says: '--prefetch must be an integer from 1 to 65535' },
  { args: [...GOOD, '--colour', 'red'], says: 'Unknown argument: colour' },
  { args: ['consume'], says: 'Unknown' },
  {
    args: [...GOOD, '--url', 'amqp://u:s3cret@:x/'],
    says: '--url is not a URL; it must look like amqp://user:password@host:5672/vhost',
  },
  {
    args: [...GOOD, '--url', 'amqp://u:s3cret@localhost:5672/%2f/messages'],
    says: '--url is a DSN of Symfony Messenger: end it after /%2f, and name the queue with --queue',
  },
  {
    args: [...GOOD, '--url', 'amqp://u:s3cret@h/?heartbeat=abc'],
    says: '--url has a heartbeat that is no integer',
  },
  {
    args: [...GOOD, '--url', 'amqp://good', '--url', 'http://u:s3cret@h'],
    says: '--url number 2 of 2 must begin with amqp:// or amqps://',
  },
  {
    args: [...GOOD, '--tls-insecure'],
    says: '--tls-insecure needs a --url that begins with amqps://',
  },
  {
    args: [...GOOD, '--url', 'amqps://u:s3cret@h', '--tls-ca', '/no/such.pem'],
    says: '--tls-ca names "/no/such.pem", which does not exist',
  },
  {
    args: [...GOOD, '--url', 'amqps://h', '--tls-key=-----BEGIN PRIVATE KEY----- s3cret'],
    says: '--tls-key must be the path of a PEM file',
  },
  { args: [...GOOD, '--queue', 'amq.mine'], says: '--queue must not begin with amq.' },
])('exit 64: $says', async ({ args, says }) => {
  const { code, stdout, log } = await runBridge(args)
  expect({ code, stdout }).toEqual({ code: 64, stdout: [] })
  expect(log).toEqual([{ message: expect.stringContaining(`fpm-bridge: ${says}`) }])
  expect(JSON.stringify(log)).not.toContain('s3cret')
})

test.for([
  {
    name: 'unknown.yaml',
    text: 'sockets: /run/fpm.sock',
    says: /sockets \(.*unknown\.yaml:1\) is unknown; did you mean socket\?/,
  },
  { name: 'bad.yaml', text: 'url: amqp://u:s3cret@h\nqueue: [a', says: /bad\.yaml is malformed at line 2/ },
  { name: 'bad.json', text: '{"url": "amqp://u:s3cret@h",}}', says: /bad\.json is malformed at line 1/ },
  {
    name: 'value.yaml',
    text: 'concurrency: many',
    says: /concurrency \(.*value\.yaml:1\) must be an integer/,
  },
  {
    name: 'urls.yaml',
    text: 'url:\n  - amqp://u:s3cret@h\n  - u:s3cret@h',
    says: /url \(.*urls\.yaml:1\) number 2 of 2 must begin with amqp:\/\/ or amqps:\/\//,
  },
  { name: 'none.yaml', text: 'url: []', says: /url \(.*none\.yaml:1\) must not be empty/ },
  {
    name: 'tls.yaml',
    text: 'url: amqps://u:s3cret@h\ntls-ca: /no/such.pem',
    says: /tls-ca \(.*tls\.yaml:2\) names "\/no\/such\.pem", which does not exist/,
  },
])('exit 78 for the config file $name', async ({ name, text, says }) => {
  const folder = temporaryFolder('config')
  try {
    writeFileSync(join(folder, name), text)
    const { code, log } = await runBridge([...GOOD, '--config', join(folder, name)])
    expect(code).toBe(78)
    expect(log).toEqual([{ message: expect.stringMatching(says) }])
    expect(JSON.stringify(log)).not.toContain('s3cret')
  } finally {
    removeFolder(folder)
  }
})

test('exit 78 for the environment, which is named', async () => {
  const { code, log } = await runBridge(GOOD, { FPM_BRIDGE_PAYLOAD: 'xml' })
  expect(code).toBe(78)
  expect(log).toEqual([
    { message: 'fpm-bridge: --payload (from FPM_BRIDGE_PAYLOAD) must be form or raw, not "xml"' },
  ])
})
