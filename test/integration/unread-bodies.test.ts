import { expect } from 'vitest'
import type { LogLine } from '../support/bridge-process.ts'
import { count, HOLDING, outcomesOf } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { publishAll } from '../support/messages.ts'
import { workerThat } from '../support/worker-script.ts'

/* Scripts that end before they have read a large body: enable_post_data_reading is off, so that PHP does not read it for them. */

const LARGE = Buffer.alloc(3_000_000, 'x')
const SMALL = Buffer.from('{}')
const UNREAD = { ini: { enable_post_data_reading: 'off' } }
const TWICE = ['--retry-delay', '100ms', '--retry-max-delay', '100ms', '--max-attempts', '2']

/** What a script does in place of reading, and how often it is executed with two attempts. */
const DEEDS = {
  answers: { php: '', attempts: [1] },
  'answers at length': { php: "echo str_repeat('y', 500000);", attempts: [1] },
  fails: { php: 'http_response_code(500);', attempts: [1, 2] },
  'goes on': { php: 'fastcgi_finish_request(); usleep(100000);', attempts: [1] },
  dies: { php: "exec('kill -9 ' . getmypid()); sleep(5);", attempts: [1, 2] },
} as const

test('each is executed as often as its attempts say, and the others once', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool(UNREAD)
  const branches = Object.entries(DEEDS).map(([id, { php }]) => `case '${id}': ${php} break;`)
  const worker = workerThat(`switch ($_SERVER['AMQP_MESSAGE_ID']) { ${branches.join(' ')} }`)
  const ids = Object.keys(DEEDS).flatMap((id) => [id, ...Array(10).fill('small')])
  const bodies = ids.map((id) => (id === 'small' ? SMALL : LARGE))
  await publishAll(broker, queue, bodies, (index) => ({ messageId: ids[index] ?? '' }))
  const args = ['--payload', 'raw', '--ack', 'completed', '--concurrency', '3', ...TWICE]
  const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args })
  const settled = ({ outcome }: LogLine) => outcome === 'executed' || outcome === 'dead-letter'
  await eventually('all are settled', () => daemon.log.filter(settled).length === ids.length)
  const attemptsOf = (id: string) =>
    worker
      .executions()
      .filter((line) => line.startsWith(`${id} `) && !line.startsWith(`${id} at`))
      .map((line) => Number(line.split(' ').at(-2)))
  for (const [id, { attempts }] of Object.entries(DEEDS)) expect(attemptsOf(id), id).toEqual(attempts)
  expect(attemptsOf('small')).toEqual(Array(50).fill(1))
  for (const id of ['fails', 'dies']) expect(outcomesOf(daemon.log, id).at(-1)).toMatchObject({ attempt: 2 })
})

test('scripts that die over large bodies are no hold, and do not keep the others', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool(UNREAD)
  const worker = workerThat(`if ($_SERVER['AMQP_MESSAGE_ID'] === 'dies') { ${DEEDS.dies.php} }`)
  const ids = Array.from({ length: 220 }, (_, index) => (index % 22 === 0 ? 'dies' : 'good'))
  const bodies = ids.map((id) => (id === 'dies' ? LARGE.subarray(0, 1_000_000) : SMALL))
  await publishAll(broker, queue, bodies, (index) => ({ messageId: ids[index] ?? '' }))
  const args = ['--payload', 'raw']
  const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args })
  await eventually('the good ones are executed', () => count(daemon.log, 'Executed.') === 210)
  expect(count(daemon.log, HOLDING)).toBe(0)
  expect(worker.executions().filter((line) => line.startsWith('good'))).toHaveLength(210)
})
