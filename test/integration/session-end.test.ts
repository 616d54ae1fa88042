import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { closeConnection } from '../support/broker-connections.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { countsOf } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { workerThat } from '../support/worker-script.ts'

/* With `--ack completed` a session can end before the script does: then the message is the broker's again. */

const COMPLETED = ['--ack', 'completed']
const ENDED = 'The session with the broker has ended; opening another.'

test('what runs while its session ends is executed again, and its end acks nothing on the next channel', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const folder = temporaryFolder('release')
  const release = (redelivered: 0 | 1) => writeFileSync(join(folder, String(redelivered)), '')
  const worker = workerThat(
    `while (!is_file("${folder}/" . $_SERVER['AMQP_REDELIVERED'])) { usleep(10000); clearstatcache(); }`,
  )
  await publishAll(broker, queue, [{}], { messageId: 'M-1' })
  const args = [...COMPLETED, '--daemon-id', `D-${queue}`]
  const daemon = await startDaemon({ script: worker.path, args })
  await eventually('it runs', () => worker.executions().length === 1)
  await closeConnection(broker, `D-${queue}`)
  await eventually('it runs a second time', () => worker.executions().length === 2)

  release(0)
  await daemon.waitForLine('Executed, but its session has ended: the broker delivers it again.')
  // Both deliveries have tag 1. The second one still runs, and is still unacked.
  expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 1 })
  release(1)
  await daemon.waitForLine('Executed.')
  await eventually('it is acked', async () => (await countsOf(broker, queue))?.unacked === 0)
  expect(worker.executions()).toEqual(['M-1 1 0', 'M-1 1 1'])
  expect(count(daemon.log, ENDED)).toBe(1)
})

test('what fails while its session ends is executed again, and no copy of it is made', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(
    `if ($_SERVER['AMQP_REDELIVERED'] === '1') exit;
    while (!is_file('${release}')) { usleep(10000); clearstatcache(); }
    http_response_code(404);`,
  )
  await publishAll(broker, queue, [{}], { messageId: 'M-1' })
  const args = [...COMPLETED, '--daemon-id', `D-${queue}`]
  const daemon = await startDaemon({ script: worker.path, args })
  await eventually('it runs', () => worker.executions().length === 1)
  await closeConnection(broker, `D-${queue}`)
  await daemon.waitForLine('Executed.')
  writeFileSync(release, '')
  const line = await daemon.waitForLine('Not settled: the broker delivers it again.')
  expect(line).toMatchObject({ outcome: 'dead-letter', messageId: 'M-1', attempt: 1, status: 404 })
  expect(await takeAll(broker, `${queue}.dead`)).toEqual([])
  await eventually('nothing is left', async () => {
    expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 0 })
    return true
  })
})
