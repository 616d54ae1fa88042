import { join } from 'node:path'
import { expect } from 'vitest'
import { test } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { md5, payloadRecords, payloadScript } from '../support/payload-records.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { workerThat } from '../support/worker-script.ts'

/* What PHP makes of a form that was sent byte for byte: its limits and its names are not ours. */

test.for([
  {
    what: 'of "." and " " in names it makes "_", but not behind a bracket',
    message: { 'a.b c': 1, d: { 'e.f g': 2 } },
    form: 'a.b+c=1&d%5Be.f+g%5D=2',
    warned: false,
    post: { a_b_c: '1', d: { 'e.f g': '2' }, daemonId: 'D-1' },
  },
  {
    what: 'it drops the fields beyond max_input_vars, the daemon id first',
    message: { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 },
    form: 'a=1&b=2&c=3&d=4&e=5&f=6',
    warned: true,
    post: expect.not.objectContaining({ daemonId: 'D-1' }),
  },
  {
    what: 'it decodes nothing beyond post_max_size',
    message: { a: 'x'.repeat(1_024) },
    form: `a=${'x'.repeat(1_024)}`,
    warned: true,
    post: [],
  },
])(
  '$what; php://input is whole, and the log says so',
  async ({ message, form, post, warned }, { broker, queue, ownPool, startDaemon }) => {
    const workerLog = join(temporaryFolder('limits'), 'worker.log')
    const pool = await ownPool({
      ini: { post_max_size: '1K', max_input_vars: 3, log_errors: 'on' },
      environment: { WORKER_LOG: workerLog },
    })
    await publishAll(broker, queue, [message])
    const daemon = await startDaemon({
      socket: pool.socket,
      script: payloadScript,
      args: ['--daemon-id', 'D-1'],
    })
    const [record] = await payloadRecords(workerLog, queue, 1)
    expect(record?.post).toEqual(post)
    await daemon.waitForLine('Executed.')
    expect(daemon.log.some(({ message }) => String(message).includes('dropped fields'))).toBe(warned)
    expect(record?.md5).toBe(md5(`${form}&daemonId=D-1`))
  },
)

test.for([
  { ack: 'completed', html: 'on', outcome: 'dead-letter' },
  { ack: 'completed', html: 'off', outcome: 'dead-letter' },
  { ack: 'dispatched', html: 'on', outcome: 'refused' },
])(
  '--ack $ack, html_errors $html: where PHP prints its warning before the script begins, no 200 is a success',
  async ({ ack, html, outcome }, { broker, queue, ownPool, startDaemon }) => {
    const ini = { post_max_size: '1K', display_errors: 'on', html_errors: html, log_errors: 'off' }
    const pool = await ownPool({ ini })
    const worker = workerThat('http_response_code(503);')
    await publishAll(broker, queue, [{ a: 'x'.repeat(3_000) }], { messageId: 'M-1' })
    const args = ack === 'completed' ? ['--ack', ack, '--max-attempts', '1'] : ['--ack', ack]
    const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args })
    const line = await daemon.waitForLine((each) => each['outcome'] !== undefined)
    expect(line).toMatchObject({ outcome, status: 200, message_id: 'M-1' })
    expect(line['reason']).toContain('display_errors')
    expect(line['reason']).toMatch(
      /Warning: {1,2}PHP Request Startup: POST Content-Length of \d+ bytes exceeds/,
    )
    expect(worker.executions()).toHaveLength(1)
  },
)
