import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { count } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { handlerScript } from '../support/handler-script.ts'
import { publishAll, takeAll } from '../support/messages.ts'

/* A handler of worker-php that finds that nothing works now, and what the daemon makes of it. */

test('while a handler throws Hold nothing is given up, and no attempt is counted', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool()
  const database = join(pool.directory, 'database')
  const worker = handlerScript(
    pool.directory,
    `if (!is_file('${database}')) throw new Hold(0, 'it is away');`,
  )
  const all = ['one', 'two', 'three', 'four', 'five']
  await publishAll(
    broker,
    queue,
    all.map((name) => ({ do: name })),
  )
  const args = ['--ack', 'completed', '--max-attempts', '2', '--retry-delay', '10ms', '--require-marker']
  const daemon = await startDaemon({ socket: pool.socket, script: worker.script, args })
  // More often than the attempts of all of them together would allow.
  await eventually('it is tried again and again', () => worker.executions().length > 12)

  writeFileSync(database, '')
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === all.length)
  expect(worker.executions().every(({ attempt }) => attempt === 1)).toBe(true)
  expect(await takeAll(broker, queue)).toEqual([])
  expect(count(daemon.log, 'Dead-lettered.')).toBe(0)
})
