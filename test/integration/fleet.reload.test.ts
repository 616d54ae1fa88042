import { expect } from 'vitest'
import { spawnBridge } from '../support/bridge-process.ts'
import { BridgesFile } from '../support/bridges-file.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { workerThat } from '../support/worker-script.ts'

/* SIGHUP to a supervisor. */

const IDS = ['F-1', 'F-2', 'F-3']

test('reloads one process after the other, and none for a file that is wrong', async ({
  broker,
  queue,
  sharedPool,
}) => {
  const [old, next] = [workerThat(''), workerThat('')]
  const file = new BridgesFile(
    { url: broker.url, socket: sharedPool.socket, 'log-format': 'json', 'daemon-id': 'F', instances: 3 },
    [{ queue, script: old.path }],
  )
  const fleet = await spawnBridge(['--config', file.path])
  const of = (text: string) => fleet.log.filter(({ message }) => message === text)
  try {
    await eventually('all consume', () => of('Consuming.').length === 3)

    file.write([{ queue, script: next.path, concurrency: 0 }])
    fleet.signal('SIGHUP')
    const wrong = await fleet.waitForLine('Not reloaded')
    expect(wrong).toMatchObject({ daemon_id: 'F', reason: expect.stringContaining('concurrency') })

    file.write([{ queue, script: next.path }])
    fleet.signal('SIGHUP')
    await fleet.waitForLine('The fleet has reloaded.')
    await eventually('the former bridges have ended', () => of('A bridge has ended.').length === 3)
    // Each begins when the one before has its new bridge.
    const moments = [...of('Reloading.'), ...of('Reloaded.')]
      .map(({ time, daemon_id: daemonId, message }) => `${time} ${daemonId} ${message}`)
      .toSorted()
      .map((moment) => moment.replace(/^\S+ /, ''))
    expect(moments).toEqual(IDS.flatMap((id) => [`${id} Reloading.`, `${id} Reloaded.`]))

    await publishAll(broker, queue, numbers(30))
    await eventually('the new script executes', () => next.executions().length === 30)
    expect(old.executions()).toEqual([])
    fleet.signal('SIGTERM')
    expect(await fleet.exited).toMatchObject({ code: 0 })
  } finally {
    await fleet.kill()
  }
})

test('without a file it changes nothing', async ({ startDaemon }) => {
  const fleet = await startDaemon({ args: ['--instances', '2'] })
  await fleet.waitForLine('Consuming.')
  fleet.signal('SIGHUP')
  expect(await fleet.waitForLine('Ignored a signal')).toMatchObject({ level: 'warn', signal: 'SIGHUP' })
})
