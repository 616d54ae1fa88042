import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { numbers, publishAll } from '../support/messages.ts'
import { readyIn } from '../support/queue-counts.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { workerThat } from '../support/worker-script.ts'

/* "The application did not start" is not "the message failed". */

const HOLDING = 'Holding: nothing can be executed. Messages are kept and wait.'
const STRICT = ['--ack', 'completed', '--require-marker', '--retry-delay', '100ms', '--max-attempts', '2']

test.for(['vendor/ is missing', 'a parse error', 'auto_prepend_file is missing'])(
  'a deploy that is broken holds the queue: %s',
  async (what, { broker, queue, ownPool, startDaemon }) => {
    const vendor = temporaryFolder('vendor')
    const [autoload, prepend] = [join(vendor, 'autoload.php'), join(vendor, 'prepend.php')]
    const worker = workerThat(`header('X-Bridge-Outcome: ack');`, undefined, `require '${autoload}';`)
    const mend = () => {
      for (const file of [autoload, prepend]) writeFileSync(file, '<?php')
    }
    mend()
    const pool = await ownPool({ ini: { auto_prepend_file: prepend } })
    if (what === 'a parse error') writeFileSync(autoload, '<?php parse error')
    else rmSync(what.startsWith('vendor') ? autoload : prepend)

    await publishAll(broker, queue, numbers(50), (index) => ({ messageId: `M-${index}` }))
    const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args: STRICT })
    await daemon.waitForLine(HOLDING)
    // Time enough for two attempts at each.
    await sleep(1_500)
    expect(worker.executions()).toEqual([])
    mend()
    await eventually('all are executed', () => count(daemon.log, 'Executed.') === 50)
    const executed = daemon.log.filter(({ message }) => message === 'Executed.')
    expect(executed.map(({ attempt }) => attempt)).toEqual(Array(50).fill(1))
    expect(await readyIn(broker, `${queue}.dead`)).toBe(0)
    expect(count(daemon.log, 'To be executed again.')).toBe(0)
  },
)

test('a message that breaks the application each time does not hold the others, and is given up', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool({})
  const worker = workerThat(
    "if ($_POST['number'] === '7') { exit('broken'); } header('X-Bridge-Outcome: ack');",
  )
  await publishAll(broker, queue, numbers(300), (index) => ({ messageId: `M-${index + 1}` }))
  const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args: STRICT })
  await daemon.waitForLine('Dead-lettered.')
  await eventually('the others are executed', () => count(daemon.log, 'Executed.') === 299)
  expect(count(daemon.log, HOLDING)).toBe(0)
  expect(await readyIn(broker, `${queue}.dead`)).toBe(1)
  expect(daemon.log.find(({ message }) => message === 'Dead-lettered.')).toMatchObject({
    message_id: 'M-7',
    attempt: 2,
  })
})

test('a worker that answers as php-fpm does for a missing script costs nobody anything', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool({})
  const worker = workerThat(
    `if ($_POST['number'] === '7') { http_response_code(404); exit("File not found.\\n"); }`,
  )
  await publishAll(broker, queue, numbers(100), (index) => ({ messageId: `M-${index + 1}` }))
  const args = ['--ack', 'completed', '--retry-delay', '100ms', '--max-attempts', '2']
  const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args })
  const line = await daemon.waitForLine('Dead-lettered.')
  expect(line).toMatchObject({ message_id: 'M-7', attempt: 2 })
  await eventually('the others are executed', () => count(daemon.log, 'Executed.') === 99)
  expect(count(daemon.log, HOLDING)).toBe(0)
})
