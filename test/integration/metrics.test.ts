import { expect } from 'vitest'
import { ask, scrape } from '../support/admin.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'
import { workerThat } from '../support/worker-script.ts'

/* What /metrics and /status say, against what a real pool has executed. */

const RETRY = ['--ack', 'completed', '--max-attempts', '2', '--retry-delay', '100ms']

test('counts what was executed, retried and given up, and what of', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool({ children: 3 })
  const worker = workerThat(
    `usleep(20000);
     if ($_POST['status'] === 'die') { exec('kill -9 ' . getmypid()); }
     http_response_code((int) $_POST['status']);`,
  )
  const admin = `127.0.0.1:${(await freePorts(1))[0]}`
  const bodies = [...Array(7).fill({ status: 200 }), { status: 404 }, { status: 503 }, '[', { status: 'die' }]
  const timestamp = Math.floor(Date.now() / 1_000) - 30
  await publishAll(broker, queue, bodies, (index) => ({ messageId: `M-${index}`, timestamp }))
  const args = [...RETRY, '--admin', admin]
  await startDaemon({ socket: pool.socket, script: worker.path, args })
  const name = (metric: string, labels = '') => `fpm_bridge_${metric}{queue="${queue}"${labels}}`
  const seen = await eventually('all is settled', async () => {
    const metrics = await scrape(admin)
    const dead = metrics.get(name('messages_total', ',outcome="dead-letter"'))
    return dead === 4 && metrics.get(name('in_flight')) === 0 && metrics
  })
  const labelled = (metric: string, label: string, values: readonly string[]) =>
    Object.fromEntries(values.map((value) => [value, seen.get(name(metric, `,${label}="${value}"`))]))
  const outcomes = ['executed', 'retry', 'dead-letter', 'refused', 'lost', 'hold']
  expect(labelled('messages_total', 'outcome', outcomes)).toEqual({
    executed: 7,
    retry: 2,
    'dead-letter': 4,
    refused: 0,
    lost: 0,
    hold: 0,
  })
  expect(seen.get(name('retries_total'))).toBe(2)
  const reasons = ['unprocessable', 'rejected', 'attempts', 'unread']
  expect(labelled('dead_letters_total', 'reason', reasons)).toEqual({
    unprocessable: 1,
    rejected: 1,
    attempts: 2,
    unread: 0,
  })
  expect(seen.get(name('fastcgi_errors_total', ',code="CONNECTION_LOST",phase="receive"'))).toBe(2)
  // What the worker has noted: all but what is no JSON, two of them twice.
  expect(worker.executions()).toHaveLength(12)
  expect(seen.get(name('execution_seconds_count'))).toBe(12)
  expect(seen.get(name('execution_seconds_bucket', '').replace(/\{/, '{le="0.01",'))).toBe(0)
  expect(seen.get(name('execution_seconds_sum'))).toBeGreaterThan(12 * 0.02)
  // With the message that is no JSON: it was to be executed.
  expect(seen.get(name('message_age_seconds_count'))).toBe(13)
  expect(seen.get(name('message_age_seconds_sum'))).toBeGreaterThan(13 * 30)
  for (const [metric, value] of [
    ['waiting', 0],
    ['concurrency', 4],
    ['session_up', 1],
    ['hold', 0],
    ['paused', 0],
  ] as const)
    expect([metric, seen.get(name(metric))]).toEqual([metric, value])
  expect([...seen.keys()].filter((key) => key.startsWith('fpm_bridge_build_info{version="'))).toHaveLength(1)
  expect(seen.get('process_resident_memory_bytes')).toBeGreaterThan(1e7)

  // The pool itself, as php-fpm_exporter has it.
  const labels = `pool="commands",scrape_uri="unix://${pool.socket};/status"`
  expect(seen.get(`phpfpm_up{${labels}}`)).toBe(1)
  expect(seen.get(`phpfpm_total_processes{${labels}}`)).toBe(3)
  expect(seen.get(`phpfpm_scrape_failures{${labels}}`)).toBe(0)
  expect(seen.get(`phpfpm_accepted_connections{${labels}}`)).toBeGreaterThan(3)
  const child = 'pool="commands",scrape_uri'
  expect([...seen.keys()].filter((key) => key.startsWith(`phpfpm_process_requests{${child}`))).toHaveLength(3)
  expect([...seen.keys()].filter((key) => /^phpfpm_process_state.*state="Idle"/.test(key))).toHaveLength(3)

  const { failures, ...status } = JSON.parse((await ask(admin, '/status')).body)
  expect(failures).toHaveLength(6)
  expect(failures).toContainEqual(
    expect.objectContaining({
      queue,
      outcome: 'dead-letter',
      reason: 'the worker answered with status 404',
      status: 404,
      message_id: 'M-7',
      attempt: 1,
    }),
  )
  expect(status).toMatchObject({
    state: 'running',
    bridges: [{ queue, state: 'running', session: 'up', in_flight: 0, messages: { executed: 7 } }],
    in_flight: [],
    pools: [{ pool: pool.socket, status_page: 'up', name: 'commands', total_processes: 3 }],
  })
  expect(status.config.bridges[0].queue.value).toBe(queue)
  expect(JSON.stringify(status)).not.toContain('guest:guest')
})

test('/status names what is being executed, the oldest first; a pool without a status page has no metrics', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool({ children: 3 })
  const worker = workerThat('sleep(20);')
  const admin = `${pool.directory}/admin.sock`
  const args = ['--admin', admin, '--status-path', '/none']
  await startDaemon({ socket: pool.socket, script: worker.path, args })
  const inFlight = async () =>
    JSON.parse((await ask(admin, '/status')).body).in_flight as { age_ms: number }[]
  const one = { messageId: 'M-1', correlationId: 'C-1', type: 'T' }
  await publishAll(broker, queue, [{}], one)
  await eventually('the first runs', async () => (await inFlight()).length === 1)
  await publishAll(broker, queue, [{}], { messageId: 'M-2' })
  const both = await eventually('both run', async () => {
    const now = await inFlight()
    return now.length === 2 && now
  })
  expect(both).toMatchObject([
    { queue, message_id: 'M-1', correlation_id: 'C-1', type: 'T', attempt: 1 },
    { queue, message_id: 'M-2', attempt: 1 },
  ])
  expect(both[0]?.age_ms).toBeGreaterThanOrEqual(both[1]?.age_ms ?? Number.NaN)
  const { body } = await ask(admin, '/metrics')
  expect(body).toContain(`fpm_bridge_in_flight{queue="${queue}"} 2`)
  expect(body).not.toMatch(/^phpfpm_/m)
  expect(JSON.parse((await ask(admin, '/status')).body).pools).toEqual([
    { pool: pool.socket, status_page: 'none' },
  ])
})
