import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { closeConnection } from '../support/broker-connections.ts'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll, takeAll } from '../support/messages.ts'
import { countsOf, expectCounts } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* With `--ack completed` a session can end before the script does: then the message is the broker's again. */

const COMPLETED = ['--ack', 'completed']
const ENDED = 'The session with the broker has ended; opening another.'
const AGAIN = 'Delivered again while it is executed: that execution goes on, and settles it.'

test('what runs while its session ends is not executed beside itself, and is acked on the next channel', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(waitForFile(release))
  await publishAll(broker, queue, [{}], { messageId: 'M-1' })
  const args = [...COMPLETED, '--daemon-id', `D-${queue}`]
  const daemon = await startDaemon({ script: worker.path, args })
  await eventually('it runs', () => worker.executions().length === 1)
  for (const lost of [1, 2]) {
    await closeConnection(broker, `D-${queue}`)
    await eventually('it is delivered again', () => count(daemon.log, AGAIN) === lost)
  }
  await expectCounts(broker, queue, { ready: 0, unacked: 1 })
  writeFileSync(release, '')
  await daemon.waitForLine('Executed.')
  await eventually('it is acked', async () => (await countsOf(broker, queue))?.unacked === 0)
  expect(worker.executions()).toEqual(['M-1 1 0'])
  expect(count(daemon.log, ENDED)).toBe(2)
})

test('what fails while its session ends has been executed once, and is dead-lettered once', async ({
  broker,
  queue,
  startDaemon,
}) => {
  const release = join(temporaryFolder('release'), 'now')
  const worker = workerThat(`${waitForFile(release)} http_response_code(404);`)
  await publishAll(broker, queue, [{}], { messageId: 'M-1' })
  const args = [...COMPLETED, '--daemon-id', `D-${queue}`]
  const daemon = await startDaemon({ script: worker.path, args })
  await eventually('it runs', () => worker.executions().length === 1)
  await closeConnection(broker, `D-${queue}`)
  await daemon.waitForLine(AGAIN)
  writeFileSync(release, '')
  await daemon.waitForLine('Dead-lettered.')
  expect(await takeAll(broker, `${queue}.dead`)).toHaveLength(1)
  await eventually('nothing is left', async () => {
    expect(await countsOf(broker, queue)).toEqual({ ready: 0, unacked: 0 })
    return true
  })
  expect(worker.executions()).toEqual(['M-1 1 0'])
})
