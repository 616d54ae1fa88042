import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { count, outcomesOf } from '../support/daemon-log.ts'
import { eventually } from '../support/eventually.ts'
import { test } from '../support/fixtures.ts'
import { handlerScript } from '../support/handler-script.ts'
import { publishAll } from '../support/messages.ts'
import { temporaryFolder } from '../support/run-folder.ts'
import { waitForFile, workerThat } from '../support/worker-script.ts'

/* Scripts that go on after their answers: no other message waits for them, and none gets what they say then. */

const ONE_BY_ONE = ['--ack', 'completed', '--concurrency', '1', '--retry-delay', '100ms']
const TWICE = ['--max-attempts', '2']

/** More than it takes until a connection is kept. */
const PROMPT = Array.from({ length: 30 }, (_, index) => `prompt-${index}`)

/** By its id, a message is one that goes on after its answer (A), one behind it (B), or neither. */
const byId = (late: string, behind: string): string => `
  $which = $_SERVER['AMQP_MESSAGE_ID'];
  if ($which === 'A') { echo 'ok'; fastcgi_finish_request(); ${late} }
  if ($which === 'B') { ${behind} }`

test('no message waits for a script that goes on', async ({ broker, queue, ownPool, startDaemon }) => {
  const folder = temporaryFolder('release')
  const [release, ended] = [join(folder, 'now'), join(folder, 'ended')]
  const worker = workerThat(byId(`${waitForFile(release)} touch('${ended}');`, ''))
  const pool = await ownPool({ children: 4 })
  const ids = ['A', 'A', 'B', 'B']
  await publishAll(broker, queue, Array(4).fill({}), (index) => ({ messageId: ids[index] as string }))
  const daemon = await startDaemon({
    socket: pool.socket,
    script: worker.path,
    args: [...ONE_BY_ONE, ...TWICE],
  })
  await eventually('all are executed', () => count(daemon.log, 'Executed.') === 4)
  expect(existsSync(ended)).toBe(false)
  expect(worker.executions()).toEqual(['A 1 0', 'A 1 0', 'B 1 0', 'B 1 0'])
  writeFileSync(release, '')
})

test.for([
  {
    what: 'an outcome',
    late: `echo "X-Bridge-Outcome: ack\\r\\n\\r\\n"; flush();`,
    behind: 'http_response_code(500);',
    outcomes: ['retry', 'dead-letter'],
  },
  {
    what: 'a status',
    late: `echo "Status: 200 OK\\r\\n\\r\\n"; flush();`,
    behind: 'http_response_code(422);',
    outcomes: ['dead-letter'],
  },
  { what: 'words', late: "echo 'words of A'; flush();", behind: '', outcomes: ['executed'] },
  { what: 'a fatal error', late: 'undefined_function();', behind: '', outcomes: ['executed'] },
  {
    what: 'a line for the log',
    late: "error_log('words of A');",
    behind: 'http_response_code(422);',
    outcomes: ['dead-letter'],
  },
])(
  'what a script says too late is no answer to the next message: $what',
  async ({ late, behind, outcomes }, { broker, queue, ownPool, startDaemon }) => {
    const worker = workerThat(byId(`usleep(200000); ${late}`, behind))
    const pool = await ownPool({ ini: { log_errors: 'on' } })
    const ids = [...PROMPT, 'A', 'B']
    await publishAll(broker, queue, Array(ids.length).fill({}), (index) => ({ messageId: ids[index] ?? '' }))
    const daemon = await startDaemon({
      socket: pool.socket,
      script: worker.path,
      args: [...ONE_BY_ONE, ...TWICE],
    })
    await eventually('B is settled', () => outcomesOf(daemon.log, 'B').length === outcomes.length)
    expect(outcomesOf(daemon.log, 'B').map(({ outcome }) => outcome)).toEqual(outcomes)
    expect(JSON.stringify(outcomesOf(daemon.log, 'B'))).not.toContain('words of A')
    expect(outcomesOf(daemon.log, 'A')).toMatchObject([{ outcome: 'executed', attempt: 1 }])
    expect(worker.executions().filter((line) => line.startsWith('B'))).toHaveLength(outcomes.length)
  },
)

test('a handler that closes its answer too early is repeated and given up, and nobody else pays for it', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  const pool = await ownPool()
  const { script, executions } = handlerScript(
    pool.directory,
    `if ($do === 'A') { fastcgi_finish_request(); usleep(200000); echo "progress\\n", "late words\\n"; flush(); }`,
  )
  const all = [...PROMPT, 'A', 'B']
  const bodies = all.map((id) => ({ do: id }))
  await publishAll(broker, queue, bodies, (index) => ({ messageId: all[index] ?? '' }))
  const args = [...ONE_BY_ONE, ...TWICE, '--require-marker']
  const daemon = await startDaemon({ socket: pool.socket, script, args })
  await eventually('A is given up', () => outcomesOf(daemon.log, 'A').length === 2)
  await eventually('B is executed', () => outcomesOf(daemon.log, 'B').length === 1)
  expect(outcomesOf(daemon.log, 'A').map(({ outcome }) => outcome)).toEqual(['retry', 'dead-letter'])
  expect(outcomesOf(daemon.log, 'B')).toMatchObject([{ outcome: 'executed', attempt: 1 }])
  expect(executions().filter((each) => each.do === 'B')).toEqual([{ do: 'B', attempt: 1 }])
})

test('the end of a process that a script has forked is no answer to the next message', async ({
  broker,
  queue,
  ownPool,
  startDaemon,
}) => {
  // pcntl_fork() is for the command line alone; extensions that are for both fork, too.
  const worker = workerThat(
    `if ($_SERVER['AMQP_MESSAGE_ID'] === 'forks') {
       header('X-Bridge-Outcome: ack');
       if (FFI::cdef('int fork(void);', 'libc.so.6')->fork() === 0) { usleep(3000 * random_int(1, 5)); echo 'child'; exit; }
       echo 'parent';
       exit;
     }
     if (str_starts_with($_SERVER['AMQP_MESSAGE_ID'], 'prompt')) { header('X-Bridge-Outcome: ack'); exit; }
     usleep(50000);
     http_response_code(500);
     header('X-Bridge-Outcome: retry');`,
  )
  const pool = await ownPool({ children: 2, extensions: ['ffi'], ini: { 'ffi.enable': 'true' } })
  const round = ['forks', 'fails-1', 'fails-2', 'fails-3']
  const ids = [...PROMPT, ...round, ...round]
  await publishAll(broker, queue, Array(ids.length).fill({}), (index) => ({ messageId: ids[index] ?? '' }))
  const args = [...ONE_BY_ONE, '--max-attempts', '1', '--require-marker']
  const daemon = await startDaemon({ socket: pool.socket, script: worker.path, args })
  const outcomes = (which: string) => {
    const lines = daemon.log.filter(({ message_id: messageId }) => String(messageId).startsWith(which))
    return lines.map(({ outcome }) => outcome)
  }
  await eventually('all are settled', () => outcomes('f').length === 8)
  expect(outcomes('fails')).toEqual(Array(6).fill('dead-letter'))
  expect(outcomes('forks')).toEqual(Array(2).fill('executed'))
})
