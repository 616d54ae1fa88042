import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { ask } from '../support/admin.ts'
import { eventually } from '../support/eventually.ts'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { test, workerScript } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { freePorts } from '../support/ports.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* Health as an orchestrator sees it, and a server that cannot start. */

const freeAddress = async () => `127.0.0.1:${(await freePorts(1))[0]}`

/** What /readyz says, as status and reasons. */
async function readiness(where: string): Promise<readonly [number, readonly Record<string, string>[]]> {
  const { status, body } = await ask(where, '/readyz')
  return [status, JSON.parse(body).reasons]
}

const ready = (where: string) => eventually('it is ready', async () => (await readiness(where))[0] === 200)

test('/readyz follows the pool and the broker, as they go and come; /livez does not', async ({
  broker,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool()
  const admin = await freeAddress()
  const [port] = (await freePorts(1)) as [number]
  const link = await startFaultProxy(port, broker.port)
  onTestFinished(() => link.close())
  await startDaemon({ url: `amqp://127.0.0.1:${port}`, socket: pool.socket, args: ['--admin', admin] })
  await ready(admin)
  await pool.stop()
  const [, [away]] = await eventually('it has no pool', async () => {
    const seen = await readiness(admin)
    return seen[0] === 503 && seen
  })
  expect(away).toEqual({
    pool: pool.socket,
    reason: expect.stringContaining(`cannot connect to ${pool.socket}`),
  })
  expect(await ask(admin, '/livez')).toMatchObject({ status: 200 })
  await pool.start()
  await ready(admin)
  await link.lose()
  const [, reasons] = await eventually('it does not consume', async () => {
    const seen = await readiness(admin)
    return seen[0] === 503 && seen
  })
  expect(reasons).toEqual([{ bridge: expect.any(String), reason: 'not consuming' }])
  expect(await ask(admin, '/livez')).toMatchObject({ status: 200 })
  const { bridges } = JSON.parse((await ask(admin, '/status')).body)
  expect(bridges).toMatchObject([{ session: 'down', state: 'running' }])
  await link.heal()
  await ready(admin)
  expect((await ask(admin, '/metrics')).body).toMatch(/^fpm_bridge_sessions_total\{[^}]*\} 1$/m)
})

test('a daemon that drains is not ready, and can be asked until the last message is settled', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(waitForFile(release))
  const admin = join(temporaryFolder('admin'), 'admin.sock')
  await publishAll(broker, queue, [{}])
  const daemon = await startDaemon({ script: worker.path, args: ['--ack', 'completed', '--admin', admin] })
  await eventually('it runs', () => worker.executions().length === 1)
  daemon.signal('SIGTERM')
  await daemon.waitForLine('Draining.')
  expect(await readiness(admin)).toEqual([503, [{ reason: 'draining' }]])
  expect(await ask(admin, '/livez')).toMatchObject({ status: 200 })
  expect(JSON.parse((await ask(admin, '/status')).body)).toMatchObject({
    state: 'draining',
    in_flight: [{ queue }],
  })
  writeFileSync(release, '')
  expect(await daemon.exited).toMatchObject({ code: 0 })
  expect(existsSync(admin)).toBe(false)
})

test('the socket that a killed daemon leaves is taken over; one in use, or a file in its place, is not', async ({
  startDaemon,
}) => {
  const folder = temporaryFolder('admin')
  const admin = join(folder, 'admin.sock')
  const killed = await startDaemon({ args: ['--admin', admin] })
  await ready(admin)
  await killed.kill()
  expect(existsSync(admin)).toBe(true)
  await startDaemon({ args: ['--admin', admin] })
  await ready(admin)

  const file = join(folder, 'file')
  writeFileSync(file, 'precious')
  for (const path of [admin, file]) {
    const refused = await startDaemon({ args: ['--admin', path] })
    expect(await refused.exited).toMatchObject({ code: 78 })
    expect(refused.log).toEqual([
      {
        message: `fpm-bridge: --admin cannot listen at ${path}: EADDRINUSE: another process listens there, or a file is in its place`,
      },
    ])
  }
  await ready(admin)
})

test('a port in use ends the start in one line', async ({ sharedPool, startDaemon }) => {
  const admin = await freeAddress()
  await startDaemon({ args: ['--admin', admin] })
  await ready(admin)
  const second = await startDaemon({
    socket: sharedPool.socket,
    script: workerScript,
    args: ['--admin', admin],
  })
  expect(await second.exited).toMatchObject({ code: 78 })
  expect(second.log).toEqual([
    {
      message: `fpm-bridge: --admin cannot listen at ${admin}: EADDRINUSE: another process listens there, or a file is in its place`,
    },
  ])
})

test('other addresses are for those who have the token', async ({ startDaemon }) => {
  const [port] = await freePorts(1)
  const file = join(temporaryFolder('token'), 'token')
  writeFileSync(file, 'sixteen-characters\n')
  const daemon = await startDaemon({ args: ['--admin', `0.0.0.0:${port}`, '--admin-token-file', file] })
  await daemon.waitForLine('Consuming.')
  const admin = `127.0.0.1:${port}`
  for (const path of ['/livez', '/readyz', '/status', '/metrics'])
    expect(await ask(admin, path)).toMatchObject({ status: 401 })
  const headers = { authorization: 'Bearer sixteen-characters' }
  const { status, body } = await ask(admin, '/status', { headers })
  expect(status).toBe(200)
  expect(body).not.toContain('sixteen-characters')
  expect(JSON.stringify(daemon.log)).not.toContain('sixteen-characters')
})
