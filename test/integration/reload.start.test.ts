import { expect } from 'vitest'
import { spawnBridge } from '../support/bridge-process.ts'
import { BridgesFile } from '../support/bridges-file.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { workerThat } from '../support/worker-script.ts'

/* SIGHUP while bridges start. */

const RELOADS = 10
const WAITS = 'Not consuming; trying again until it works.'

test('what the broker refuses at the start ends what a reload has added, too, and in order', async ({
  broker,
  queue,
  sharedPool,
}) => {
  const limit = `/vhost-limits/${queue}/max-connections`
  await broker.api('PUT', `/vhosts/${queue}`)
  await broker.api('PUT', `/permissions/${queue}/guest`, { configure: '.*', write: '.*', read: '.*' })
  await broker.api('PUT', limit, { value: 0 })
  const refused = { queue: `${queue}.missing`, declare: false }
  const common = { url: `${broker.url}/${queue}`, socket: sharedPool.socket, script: workerThat('').path }
  const file = new BridgesFile({ ...common, 'log-format': 'json' }, [refused])
  const daemon = await spawnBridge(['--config', file.path])
  try {
    await daemon.waitForLine(WAITS)
    file.write([refused, { queue: `${queue}.added` }])
    daemon.signal('SIGHUP')
    await daemon.waitForLine(({ message, bridge }) => message === WAITS && bridge === `${queue}.added`)
    await broker.api('DELETE', limit)
    expect(await daemon.exited).toMatchObject({ code: 78 })
    expect(daemon.log.map(({ message }) => message)).toContain('Stopped.')
  } finally {
    await daemon.kill()
    await broker.api('DELETE', `/vhosts/${queue}`)
  }
})

test('bridges that are replaced while they start say nothing of what they then cannot do', async ({
  broker,
  queue,
  sharedPool,
}) => {
  const common = { url: broker.url, socket: sharedPool.socket, script: workerThat('').path }
  const entries = (concurrency: number) => [{ queue, concurrency }]
  const file = new BridgesFile({ ...common, 'log-format': 'json' }, entries(1))
  const daemon = await spawnBridge(['--config', file.path])
  try {
    await daemon.waitForLine('Consuming.')
    for (let n = 1; n <= RELOADS; n += 1) {
      file.write(entries(1 + n))
      daemon.signal('SIGHUP')
      await eventually('it reloads', () => count(daemon.log, 'Reloading.') === n, { every: 5 })
    }
    await eventually('all that were replaced have ended', () => {
      return count(daemon.log, 'A bridge has ended.') === RELOADS
    })
    expect(daemon.log.filter(({ message }) => message.startsWith('Cannot'))).toEqual([])
  } finally {
    await daemon.kill()
  }
})
