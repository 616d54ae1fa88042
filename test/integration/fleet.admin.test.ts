import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect } from 'vitest'
import { ask, scrape } from '../support/admin.ts'
import { spawnBridge } from '../support/bridge-process.ts'
import { BridgesFile } from '../support/bridges-file.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { executionsIn, isReady, journalWorker, readiness, Scrapes, statusOf } from '../support/fleet-admin.ts'
import { publishAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'
import { childrenOf } from '../support/processes.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* The admin server of a supervisor, over the processes that it has. */

const address = async () => `127.0.0.1:${(await freePorts(1))[0]}`
const fleetOf = (instances: number, admin: string) => [
  ...['--instances', String(instances), '--daemon-id', 'F', '--admin', admin],
  ...['--ack', 'completed', '--concurrency', '2', '--retry-delay', '50ms'],
]
const bodies = (count: number) => Array.from({ length: count }, (_, index) => ({ number: index + 1 }))

test('counters never fall: in the end they are what the worker has noted, through kills and recycling', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const [admin, worker] = [await address(), journalWorker()]
  const args = [...fleetOf(2, admin), '--max-messages', '40']
  const fleet = await startDaemon({ script: worker.path, args })
  await isReady(admin)
  const scrapes = new Scrapes(admin)
  const stop = scrapes.go()
  let published = 0
  /** Whatever comes of them has been told and counted at its end. */
  const oneHundred = async (): Promise<void> => {
    await publishAll(broker, queue, bodies(100))
    published += 100
    // Each tenth is executed twice.
    const [ended] = await eventually('all is counted', async () => {
      const counts = executionsIn(await scrapes.take(), queue)
      return counts[0] >= published + published / 10 && counts
    })
    expect(ended).toBe(worker.executions().length)
  }
  const killed: number[] = []
  for (let round = 0; round < 2; round += 1) {
    await oneHundred()
    const victim = childrenOf(fleet.pid).at(-1) as number
    process.kill(victim, 'SIGKILL')
    killed.push(victim)
    await isReady(admin)
  }
  // One after the other, and not all the time: how many that are for so many messages is up to the machine.
  const recycled = async () =>
    (await statusOf(admin)).records.filter(({ reason }) => reason === 'max-messages').length
  while ((await recycled()) < 2) await oneHundred()
  await stop()
  const seen = await scrapes.take()
  expect(executionsIn(seen, queue)).toEqual([worker.executions().length, worker.executions().length])
  expect(seen.get(`fpm_bridge_retries_total{queue="${queue}"}`)).toBe(published / 10)
  const records = await eventually('there is a record of each', async () => {
    const all = (await statusOf(admin)).records
    return all.filter(({ reason }) => reason === 'SIGKILL').length === killed.length && all
  })
  // Those that are there now have a part in the counts, too.
  const counted = records.map(({ messages }) => (messages as { executed: number }).executed)
  expect(counted.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(published)
  const reduced = records.find(({ reason }) => reason === 'SIGKILL')
  expect(reduced).toEqual({
    daemon_id: expect.stringMatching(/^F-[12]$/),
    pid: killed.at(-1),
    // None, if it was just starting.
    queues: expect.any(Array),
    start: expect.any(String),
    end: expect.any(String),
    reason: 'SIGKILL',
    messages: expect.objectContaining({ executed: expect.any(Number) }),
  })
})

test('a process that is killed under load costs the counters what it had not told, and not the readiness', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const [admin, worker] = [await address(), journalWorker()]
  const fleet = await startDaemon({ script: worker.path, args: fleetOf(2, admin) })
  await isReady(admin)
  const scrapes = new Scrapes(admin)
  const stop = scrapes.go()
  const count = 1_500
  await publishAll(broker, queue, bodies(count))
  const kills = 3
  for (let kill = 1; kill <= kills; kill += 1) {
    await eventually('it works', () => worker.executions().length > kill * 200)
    const before = childrenOf(fleet.pid)
    process.kill(before[kill % 2] as number, 'SIGKILL')
    await eventually('another one is there', () => childrenOf(fleet.pid).length === 2)
    expect(await readiness(admin)).toEqual({ status: 200, reasons: [] })
    await eventually(
      'both consume',
      async () => (await scrapes.take()).get(`fpm_bridge_session_up{queue="${queue}"}`) === 2,
    )
  }
  await eventually('all is executed', async () => {
    const queues = await broker.api<{ messages: number }>('GET', `/queues/%2F/${queue}`)
    return queues.messages === 0 && worker.executions().length >= count * 1.1
  })
  await stop()
  const journal = worker.executions().length
  const [counted] = executionsIn(await scrapes.take(), queue)
  expect(counted).toBeLessThanOrEqual(journal)
  // A quarter of a second of 2 ms with two hands, and what was in them.
  expect(counted).toBeGreaterThan(journal - kills * 254)
})

test('a process that hangs: pages say so, in time, and what it has said last', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const [admin, worker] = [await address(), journalWorker()]
  const fleet = await startDaemon({ script: worker.path, args: fleetOf(2, admin) })
  await isReady(admin)
  await publishAll(broker, queue, bodies(50))
  await eventually('all is counted', async () => executionsIn(await scrape(admin), queue)[0] === 55)
  await statusOf(admin)
  const [pid = 0] = childrenOf(fleet.pid)
  process.kill(pid, 'SIGSTOP')
  try {
    const timed = async (path: string) => {
      const start = performance.now()
      const answer = await ask(admin, path)
      return { ...answer, ms: performance.now() - start }
    }
    expect((await timed('/metrics')).ms).toBeLessThan(1_900)
    const { status, body, ms } = await timed('/livez')
    expect(ms).toBeLessThan(2_900)
    expect(status).toBe(503)
    const [stuck] = JSON.parse(body).reasons
    expect(stuck).toEqual({ process: expect.stringMatching(/^F-[12]$/), reason: 'no answer' })
    expect(await readiness(admin)).toEqual({ status: 503, reasons: [stuck] })
    // Who is known to hang is not waited for.
    expect((await timed('/livez')).ms).toBeLessThan(900)
    const { ms: again } = await timed('/metrics')
    expect(again).toBeLessThan(900)
    const seen = await scrape(admin)
    expect(executionsIn(seen, queue)).toEqual([55, 55])
    expect(seen.get(`fpm_bridge_process_up{process="${stuck.process}"}`)).toBe(0)
    expect(seen.get(`fpm_bridge_session_up{queue="${queue}"}`)).toBe(2)
    const { processes } = await statusOf(admin)
    expect(processes.map(({ answers }) => answers).toSorted()).toEqual([false, true])
    const silent = processes.find(({ answers }) => !answers)
    expect(silent).toMatchObject({ daemon_id: stuck.process, pid, state: 'running' })
    expect(silent?.silent_ms).toBeGreaterThan(2_000)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await isReady(admin)
  expect(await ask(admin, '/livez')).toMatchObject({ status: 200 })
  expect((await statusOf(admin)).processes.every(({ answers }) => answers)).toBe(true)
})

test('gauges are sums; each process has metrics of its own, and the pool is asked once', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool({ children: 6 })
  const release = join(temporaryFolder('release'), 'now')
  const [admin, worker] = [await address(), workerThat(waitForFile(release))]
  await startDaemon({ socket: pool.socket, script: worker.path, args: fleetOf(2, admin) })
  await isReady(admin)
  await publishAll(broker, queue, bodies(4))
  await eventually('all are executed', () => worker.executions().length === 4)
  const seen = await scrape(admin)
  const gauge = (name: string) => seen.get(`fpm_bridge_${name}{queue="${queue}"}`)
  expect(['in_flight', 'concurrency', 'session_up', 'hold', 'paused'].map(gauge)).toEqual([4, 4, 2, 0, 0])
  for (const id of ['F', 'F-1', 'F-2'])
    expect(seen.get(`process_resident_memory_bytes{process="${id}"}`)).toBeGreaterThan(1e7)
  expect(seen.get('fpm_bridge_process_starts_total{process="F-1"}')).toBe(1)
  expect([...seen.keys()].filter((key) => key.startsWith('phpfpm_up{'))).toHaveLength(1)
  const { processes, pools, records } = await statusOf(admin)
  expect(processes.map(({ daemon_id, in_flight }) => [daemon_id, in_flight])).toMatchObject([
    ['F-1', [{ queue }, { queue }]],
    ['F-2', [{ queue }, { queue }]],
  ])
  expect(pools).toMatchObject([{ pool: pool.socket, total_processes: 6 }])
  expect(records).toEqual([])
  writeFileSync(release, '')
})

test('is not ready until all consume, nor while it drains', async ({ broker, queue, startDaemon }) => {
  const release = join(temporaryFolder('release'), 'now')
  const [admin, worker] = [await address(), workerThat(waitForFile(release))]
  const fleet = await startDaemon({ script: worker.path, args: fleetOf(2, admin) })
  await fleet.waitForLine('Listening.')
  expect((await readiness(admin)).status).toBe(503)
  expect(await ask(admin, '/livez')).toMatchObject({ status: 200 })
  await isReady(admin)
  await publishAll(broker, queue, bodies(1))
  await eventually('it is executed', () => worker.executions().length === 1)
  fleet.signal('SIGTERM')
  await fleet.waitForLine('Draining.')
  expect(await readiness(admin)).toEqual({ status: 503, reasons: [{ reason: 'draining' }] })
  expect(await ask(admin, '/livez')).toMatchObject({ status: 200 })
  await eventually('the idle one has left its record', async () => {
    const { state, records } = await statusOf(admin)
    return state === 'draining' && records.length === 1 && records[0]?.['reason'] === 'SIGTERM'
  })
  writeFileSync(release, '')
  expect(await fleet.exited).toMatchObject({ code: 0 })
})

test('a slot that loses its processes again and again is not alive; the others are', async ({
  broker,
  queue,
  sharedPool,
}) => {
  const admin = await address()
  const file = new BridgesFile(
    {
      url: broker.url,
      socket: sharedPool.socket,
      'log-format': 'json',
      'daemon-id': 'F',
      instances: 2,
      admin,
    },
    [{ queue, script: workerThat('').path }],
  )
  const fleet = await spawnBridge(['--config', file.path])
  try {
    await isReady(admin)
    file.writeText('bridges: [')
    const [first = 0] = childrenOf(fleet.pid)
    process.kill(first, 'SIGKILL')
    await fleet.waitForLine('ends again and again')
    const { status, body } = await eventually('it is missed', async () => {
      const answer = await ask(admin, '/livez')
      return answer.status === 503 && answer
    })
    expect(status).toBe(503)
    expect(JSON.parse(body).reasons).toEqual([
      { process: expect.stringMatching(/^F-[12]$/), reason: expect.stringContaining('has ended') },
    ])
  } finally {
    await fleet.kill()
  }
})

test('after a reload /status has the configuration of each process', async ({
  broker,
  queue,
  sharedPool,
}) => {
  const admin = await address()
  const script = workerThat('').path
  const file = new BridgesFile(
    {
      url: broker.url,
      socket: sharedPool.socket,
      'log-format': 'json',
      'daemon-id': 'F',
      instances: 2,
      admin,
    },
    [{ queue, script, concurrency: 2 }],
  )
  const fleet = await spawnBridge(['--config', file.path])
  const concurrency = async () =>
    (await statusOf(admin)).processes.map(({ config }) => config.bridges[0]?.['concurrency']?.value)
  try {
    await isReady(admin)
    expect(await concurrency()).toEqual([2, 2])
    file.write([{ queue, script, concurrency: 3 }])
    fleet.signal('SIGHUP')
    await fleet.waitForLine('The fleet has reloaded.')
    await eventually('both have it', async () => String(await concurrency()) === '3,3')

    // One that starts later reads another --admin, or none; the supervisor shows it all the same.
    file.writeText(readFileSync(file.path, 'utf8').replace(/^admin: .*\n/m, ''))
    process.kill(childrenOf(fleet.pid)[0] as number, 'SIGKILL')
    await eventually('it has another process', async () => {
      const { processes, records } = await statusOf(admin)
      return records.length === 1 && processes.length === 2 && processes.every(({ answers }) => answers)
    })
  } finally {
    await fleet.kill()
  }
})

test('many who ask without a pause cost the work nothing that counts', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const [admin, worker] = [await address(), journalWorker()]
  await startDaemon({ script: worker.path, args: fleetOf(2, admin) })
  await isReady(admin)
  const port = Number(admin.split(':')[1])
  const sockets = Array.from({ length: 32 }, (_, index) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    const path = ['/status', '/metrics', '/readyz', '/livez'][index % 4]
    const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`
    // Some do not read, some speak no HTTP, the others ask again and again.
    if (index < 4) socket.pause()
    if (index < 8) socket.write(index < 4 ? request.repeat(50) : 'x'.repeat(5_000))
    else socket.on('data', () => socket.write(request)).write(request)
    return socket
  })
  try {
    await publishAll(broker, queue, bodies(500))
    await eventually('all is executed', () => worker.executions().length === 550)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
  await isReady(admin)
  await eventually('all is counted', async () => executionsIn(await scrape(admin), queue)[0] === 550)
})

test('what keeps it from its start is one line', async ({ startDaemon }) => {
  const admin = await address()
  const first = await startDaemon({ args: fleetOf(2, admin) })
  await first.waitForLine('Listening.')
  const second = await startDaemon({ args: fleetOf(2, admin) })
  expect(await second.exited).toEqual({ code: 78, signal: null })
  const why = 'EADDRINUSE: another process listens there, or a file is in its place'
  expect(second.log).toEqual([{ message: `fpm-bridge: --admin cannot listen at ${admin}: ${why}` }])
  const file = join(temporaryFolder('records'), 'none', 'records.jsonl')
  const third = await startDaemon({ args: ['--instances', '2', '--record-file', file] })
  expect(await third.exited).toEqual({ code: 78, signal: null })
  expect(third.log).toEqual([
    { message: expect.stringMatching(/^fpm-bridge: --record-file .*: there is no folder .*; make it$/) },
  ])
})
